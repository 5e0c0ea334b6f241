#include "hp-id.h"
#include "hp-log.h"
#include "hp-queue-private.h"

#include <gio/gio.h>

struct _HpIntakeDraft {
    HpQueue *queue;          /* (unowned) */
    HpContentDraft *content; /* (owned) */
};

static void
free_draft(HpIntakeDraft *draft)
{
    hp_content_draft_free(draft->content);
    g_free(draft);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpIntakeDraft, free_draft)

/* Which of the two answers the client gets. */
static gboolean
translate(GError *failure, GError **error)
{
    gboolean full = g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ||
                    g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ||
                    g_error_matches(failure, HP_DB_ERROR, HP_DB_ERROR_FULL);

    hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not take a message: %s",
           failure->message);
    g_set_error_literal(error, HP_INTAKE_ERROR,
                        full ? HP_INTAKE_ERROR_FULL : HP_INTAKE_ERROR_BROKEN,
                        failure->message);
    g_error_free(failure);
    return FALSE;
}

static HpIntakeDraft *
intake_begin(gpointer queue, guint64 size_hint, GError **error)
{
    HpQueue *self = queue;
    HpIntakeDraft *draft;

    if (!hp_db_is_writable(self->db)) {
        g_set_error(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_BROKEN,
                    "queue.db takes no writes");
        return NULL;
    }
    if (!hp_contents_has_room(self->contents, size_hint)) {
        g_set_error(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_FULL, "the disk is full");
        return NULL;
    }
    draft = g_new0(HpIntakeDraft, 1);
    draft->queue = self;
    draft->content = hp_content_draft_new(self->contents);
    return draft;
}

static gboolean
intake_append(HpIntakeDraft *draft, HpSlice bytes, GError **error)
{
    GError *failure = NULL;

    return hp_content_draft_append(draft->content, bytes, &failure) ||
           translate(failure, error);
}

typedef struct {
    HpIntakeDraft *draft; /* (unowned) */
    HpRowsNew message;
    char *name; /* (owned) (nullable): out */
} Commit;

static gboolean
commit_work(HpDbConn *conn, gpointer data, GError **error)
{
    Commit *commit = data;
    gboolean taken;

    do {
        g_free(commit->name);
        commit->name = hp_id_new();
        if (!hp_rows_is_taken(conn, commit->name, &taken, error))
            return FALSE;
    } while (taken);
    commit->message.name = commit->name;
    return hp_content_insert(conn, commit->draft->content, &commit->message.content,
                             error) &&
           hp_rows_insert(conn, &commit->message, error);
}

/* Only now may anybody start on it. */
static void
wake(HpQueue *self, const HpEnvelope *envelope, gint64 due_usec)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gboolean any_local = FALSE;

    for (guint i = 0; i < envelope->recipients->len; i++) {
        const HpEnvelopeRecipient *recipient = envelope->recipients->pdata[i];
        g_autofree char *destination =
            recipient->local ? NULL : hp_rows_destination(recipient->address);

        if (destination == NULL) {
            any_local = TRUE;
        } else if (!g_hash_table_contains(seen, destination)) {
            hp_dispatcher_note_due(self, destination, due_usec);
            g_hash_table_add(seen, g_steal_pointer(&destination));
        }
    }
    if (any_local)
        hp_handover_wake(self->handover);
}

static gint64
first_due_usec(HpQueue *self, gint64 now_usec)
{
    HP_LOCKED(&self->lock);

    return now_usec + self->grace_sec * G_USEC_PER_SEC;
}

static gboolean
intake_commit(HpIntakeDraft *taken, const HpEnvelope *envelope, char **ret_id,
              GError **error)
{
    g_autoptr(HpIntakeDraft) draft = taken;
    HpQueue *self = draft->queue;
    HpJobNow now = hp_queue_now(self);
    GError *failure = NULL;
    Commit commit = { .draft = draft };

    if (!hp_content_draft_finish(draft->content, &failure))
        return translate(failure, error);
    commit.message = (HpRowsNew){ .envelope = envelope,
                                  .size = hp_content_draft_size(draft->content),
                                  .now_usec = now.wall_usec,
                                  .due_usec = first_due_usec(self, now.wall_usec),
                                  .online_usec = now.online_usec };
    if (!hp_db_write(self->db, commit_work, &commit, &failure)) {
        g_free(commit.name);
        return translate(failure, error);
    }
    hp_content_draft_committed(draft->content);
    wake(self, envelope, commit.message.due_usec);
    hp_queue_announce(self, commit.name, "waiting");
    *ret_id = commit.name;
    return TRUE;
}

static void
intake_abandon(HpIntakeDraft *draft)
{
    free_draft(draft);
}

HpIntake
hp_queue_make_intake(HpQueue *self)
{
    return (HpIntake){ self, intake_begin, intake_append, intake_commit, intake_abandon };
}
