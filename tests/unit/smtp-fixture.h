/* smtp-fixture: an SMTP session with an intake that keeps messages in memory; for the
 * tests of the server, its fuzz target and the transcripts.
 *
 * Threads: one sets it up; the intake's calls come from the sessions' threads.
 */
#pragma once

#include "hp-lock.h"
#include "hp-smtp-session.h"

/* What befalls the next message. */
typedef enum {
    SMTP_INTAKE_WORKS,
    SMTP_INTAKE_FULL_AT_BEGIN,
    SMTP_INTAKE_FULL_AT_APPEND,
    SMTP_INTAKE_BROKEN_AT_COMMIT,
} SmtpIntakeFault;

typedef struct {
    HpLock lock;
    SmtpIntakeFault fault;
    guint committed;     /* messages */
    guint drafts;        /* begun and neither committed nor abandoned */
    GString *bytes;      /* (owned): of the last message committed */
    char *sender;        /* (owned) (nullable): of its envelope */
    GString *recipients; /* (owned): of its envelope, " local" behind a local one, "\n" */
    HpRet ret;
    guint notify;  /* of its first recipient */
    char *orcpt;   /* (owned) (nullable): of its first recipient */
    char *envid;   /* (owned) (nullable) */
    char *client;  /* (owned) (nullable) */
    char *subject; /* (owned) (nullable) */
    gboolean eight_bit;
    gboolean smtputf8;
} SmtpMemory;

struct _HpIntakeDraft {
    SmtpMemory *memory; /* (unowned) */
    GString *bytes;     /* (owned) */
};

static inline HpIntakeDraft *
smtp_memory_begin(gpointer self, guint64 size_hint, GError **error)
{
    SmtpMemory *memory = self;
    HpIntakeDraft *draft = NULL;
    HP_LOCKED(&memory->lock);

    if (memory->fault == SMTP_INTAKE_FULL_AT_BEGIN) {
        g_set_error(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_FULL, "full");
        return NULL;
    }
    memory->drafts++;
    draft = g_new0(HpIntakeDraft, 1);
    draft->memory = memory;
    draft->bytes = g_string_new(NULL);
    return draft;
}

static inline gboolean
smtp_memory_append(HpIntakeDraft *draft, HpSlice bytes, GError **error)
{
    HP_LOCKED(&draft->memory->lock);

    if (draft->memory->fault == SMTP_INTAKE_FULL_AT_APPEND) {
        g_set_error(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_FULL, "full");
        return FALSE;
    }
    g_string_append_len(draft->bytes, bytes.data, (gssize)bytes.len);
    return TRUE;
}

static inline void
smtp_memory_drop(HpIntakeDraft *draft)
{
    draft->memory->drafts--;
    g_string_free(draft->bytes, TRUE);
    g_free(draft);
}

static inline void
smtp_memory_abandon(HpIntakeDraft *draft)
{
    HP_LOCKED(&draft->memory->lock);

    smtp_memory_drop(draft);
}

static inline void
smtp_memory_clear(SmtpMemory *memory)
{
    g_string_truncate(memory->bytes, 0);
    g_string_truncate(memory->recipients, 0);
    g_clear_pointer(&memory->sender, g_free);
    g_clear_pointer(&memory->orcpt, g_free);
    g_clear_pointer(&memory->envid, g_free);
    g_clear_pointer(&memory->client, g_free);
    g_clear_pointer(&memory->subject, g_free);
}

static inline void
smtp_memory_note(SmtpMemory *memory, const HpEnvelope *envelope)
{
    smtp_memory_clear(memory);
    memory->sender = g_strdup(envelope->sender);
    for (guint i = 0; i < envelope->recipients->len; i++) {
        const HpEnvelopeRecipient *r = g_ptr_array_index(envelope->recipients, i);

        g_string_append_printf(memory->recipients, "%s%s\n", r->address,
                               r->local ? " local" : "");
        if (i == 0) {
            memory->notify = r->notify;
            memory->orcpt = g_strdup(r->orcpt);
        }
    }
    memory->ret = envelope->ret;
    memory->envid = g_strdup(envelope->envid);
    memory->client = g_strdup(envelope->client);
    memory->subject = g_strdup(envelope->subject);
    memory->eight_bit = envelope->eight_bit;
    memory->smtputf8 = envelope->smtputf8;
}

static inline gboolean
smtp_memory_commit(HpIntakeDraft *draft, const HpEnvelope *envelope, char **ret_id,
                   GError **error)
{
    SmtpMemory *memory = draft->memory;
    HP_LOCKED(&memory->lock);

    if (memory->fault == SMTP_INTAKE_BROKEN_AT_COMMIT) {
        g_set_error(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_BROKEN, "broken");
        smtp_memory_drop(draft);
        return FALSE;
    }
    smtp_memory_note(memory, envelope);
    g_string_append_len(memory->bytes, draft->bytes->str, (gssize)draft->bytes->len);
    memory->committed++;
    *ret_id = g_strdup("7Q2KXM");
    smtp_memory_drop(draft);
    return TRUE;
}

static inline HpIntake
smtp_memory_open(SmtpMemory *memory)
{
    *memory = (SmtpMemory){ .fault = SMTP_INTAKE_WORKS };
    hp_lock_init(&memory->lock);
    memory->bytes = g_string_new(NULL);
    memory->recipients = g_string_new(NULL);
    return (HpIntake){ memory, smtp_memory_begin, smtp_memory_append, smtp_memory_commit,
                       smtp_memory_abandon };
}

static inline void
smtp_memory_close(SmtpMemory *memory)
{
    smtp_memory_clear(memory);
    g_string_free(memory->bytes, TRUE);
    g_string_free(memory->recipients, TRUE);
    hp_lock_clear(&memory->lock);
}

/* The options all of them use: anna@example.org on the host laptop.example; root@nas.lan
 * is local too. */
static inline HpSmtpServerOptions
smtp_options(HpIntake intake, HpPasswords *passwords)
{
    static const char *const identities[] = { "*@anna.example", NULL };
    static const char *const local[] = { "root@nas.lan", NULL };

    return (HpSmtpServerOptions){
        .intake = intake,
        .passwords = passwords,
        .plaintext_allowed = TRUE,
        .clock = &hp_clock_system,
        .hostname = "laptop.example",
        .identities = hp_identities_new("anna@example.org", identities, local, NULL),
        .max_message_size = 1024 * 1024,
        .max_recipients = 100,
    };
}

static inline gboolean
smtp_login_always(gpointer data, const char *credential)
{
    return TRUE;
}
