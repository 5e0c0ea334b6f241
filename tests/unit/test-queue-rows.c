#include "hp-queue-rows.h"
#include "hp-queue-schema.h"
#include "no-readers.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define NOW (20000 * G_TIME_SPAN_DAY)

typedef struct {
    char *folder; /* (owned) */
    int folder_fd;
    HpDb *db;             /* (owned) */
    HpContents *contents; /* (owned) */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    f->folder = g_dir_make_tmp("hp-queue-rows-XXXXXX", NULL);
    f->folder_fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    path = g_build_filename(f->folder, "queue.db", NULL);
    f->db = hp_db_open(
        &(HpDbSpec){ path, HP_QUEUE_APPLICATION_ID, hp_queue_migrations, "test-db" },
        &error);
    g_assert_no_error(error);
    f->contents = hp_contents_open(f->db, f->folder_fd, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    char rm[] = "rm";
    char option[] = "-rf";
    char *argv[] = { rm, option, f->folder, NULL };

    hp_contents_close(f->contents);
    hp_db_close(f->db);
    close(f->folder_fd);
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(f->folder);
}

static const HpJobNow now = { .wall_usec = NOW, .give_up_sec = 5 * 24 * 3600 };

static void
write_now(Fixture *f, HpDbWork work, gpointer data)
{
    g_autoptr(GError) error = NULL;

    hp_db_write(f->db, work, data, &error);
    g_assert_no_error(error);
}

typedef struct {
    HpContentDraft *draft; /* (unowned) */
    HpEnvelope *envelope;  /* (unowned) */
    const char *name;      /* (unowned) */
} Insert;

static gboolean
insert_work(HpDbConn *conn, gpointer data, GError **error)
{
    Insert *insert = data;
    HpRowsNew message = { .name = insert->name,
                          .envelope = insert->envelope,
                          .size = 2,
                          .now_usec = NOW,
                          .due_usec = NOW };

    return hp_content_insert(conn, insert->draft, &message.content, error) &&
           hp_rows_insert(conn, &message, error);
}

static void
insert(Fixture *f, const char *name, const char *addresses)
{
    g_autoptr(HpEnvelope) envelope = hp_envelope_new();
    g_autoptr(HpContentDraft) draft = hp_content_draft_new(f->contents);
    g_auto(GStrv) list = g_strsplit(addresses, ",", -1);
    Insert data = { draft, envelope, name };

    for (char **address = list; *address != NULL; address++)
        hp_envelope_add(envelope, *address);
    g_assert_true(hp_content_draft_append(draft, HP_SLICE_LITERAL("x\n"), NULL));
    g_assert_true(hp_content_draft_finish(draft, NULL));
    write_now(f, insert_work, &data);
    hp_content_draft_committed(draft);
}

static gboolean
claim_work(HpDbConn *conn, gpointer data, GError **error)
{
    HpQueueItem **item = data;

    return hp_rows_claim(conn, "example.net", &now, item, error);
}

static HpQueueItem *
claim(Fixture *f)
{
    HpQueueItem *item = NULL;

    write_now(f, claim_work, &item);
    return item;
}

static gint64
number(Fixture *f, const char *sql)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    HpDbStmt *stmt = hp_db_query(conn, sql, "");

    g_assert_true(hp_db_step(stmt, NULL));
    return hp_db_int(stmt, 0);
}

static void
test_destination(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *address;
        const char *destination;
    } rows[] = {
        { "bob@EXAMPLE.Net", "example.net" },
        { "\"a@b\"@example.net", "example.net" },
        { "bob@[192.0.2.1]", "[192.0.2.1]" },
        { "bob@m\303\274ller.example", "xn--mller-kva.example" },
        { "bob", NULL },
        { "bob@", NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *destination = hp_rows_destination(rows[i].address);

        g_assert_cmpstr(destination, ==, rows[i].destination);
    }
}

static void
test_claims_once(Fixture *f, gconstpointer data)
{
    g_autoptr(HpQueueItem) first = NULL;
    g_autoptr(HpQueueItem) second = NULL;

    insert(f, "AAAAAA", "a@example.net,b@example.net,c@example.com");
    first = claim(f);
    g_assert_nonnull(first);
    g_assert_cmpstr(first->carry.id, ==, "AAAAAA");
    g_assert_cmpuint(first->jobs->len, ==, 2);
    second = claim(f);
    g_assert_null(second);
    g_assert_cmpint(number(f, "SELECT count(*) FROM attempt"), ==, 1);
}

static void
finish(HpQueueItem *item)
{
    for (guint i = 0; i < item->jobs->len; i++)
        hp_job_next(&g_array_index(item->jobs, HpJob, i), HP_JOB_DELIVER, &now, NULL);
}

static gboolean
save_work(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_rows_save(conn, data, 1u << HP_JOB_SENDING, NOW, error);
}

static void
test_gives_content_up(Fixture *f, gconstpointer data)
{
    g_autoptr(HpQueueItem) item = NULL;

    insert(f, "AAAAAA", "a@example.net");
    item = claim(f);
    finish(item);
    write_now(f, save_work, item);
    g_assert_cmpuint(item->changed, ==, 1);
    g_assert_cmpint(number(f, "SELECT count(*) FROM content"), ==, 0);
    g_assert_cmpint(number(f, "SELECT finished FROM message"), ==, NOW);
    write_now(f, save_work, item); /* it is not in that state any more */
    g_assert_cmpuint(item->changed, ==, 0);
    g_assert_cmpint(number(f, "SELECT open FROM message"), ==, 0);
}

static void
test_local_has_its_own_reference(Fixture *f, gconstpointer data)
{
    g_autoptr(HpQueueItem) item = NULL;

    insert(f, "AAAAAA", "a@example.net,anna");
    g_assert_cmpint(number(f, "SELECT refs FROM content"), ==, 2);
    g_assert_cmpint(number(f, "SELECT count(*) FROM handover"), ==, 1);
    item = claim(f);
    g_assert_cmpuint(item->jobs->len, ==, 1);
    finish(item);
    write_now(f, save_work, item);
    g_assert_cmpint(number(f, "SELECT open FROM message"), ==, 1);
}

static gboolean
memory_work(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_rows_save_memory(conn, "example.net", data, NOW, error);
}

static HpRouteMemory
recall(Fixture *f, const char *destination, gint64 now_usec)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    HpRouteMemory memory;

    g_assert_true(hp_rows_load_memory(conn, destination, now_usec, &memory, NULL));
    return memory;
}

static void
test_remembers(Fixture *f, gconstpointer data)
{
    HpRouteMemory memory = { TRUE, TRUE, FALSE, TRUE };

    write_now(f, memory_work, &memory);
    memory = recall(f, "example.net", NOW);
    g_assert_true(memory.seen_tls && memory.seen_trusted);
    g_assert_false(memory.refused_ipv4);
    g_assert_true(memory.refused_ipv6);
    memory = recall(f, "example.net", NOW + 8 * G_TIME_SPAN_DAY);
    g_assert_false(memory.refused_ipv6); /* that may have changed; the rest stays */
    g_assert_true(memory.seen_tls);
    memory = recall(f, "example.com", NOW);
    g_assert_false(memory.seen_tls);
}

/* Two deliveries that began with the same memory each add what they have learned. */
static void
test_unlearns_nothing(Fixture *f, gconstpointer data)
{
    HpRouteMemory first = { .seen_tls = TRUE, .seen_trusted = TRUE };
    HpRouteMemory second = { .refused_ipv6 = TRUE };
    HpRouteMemory both;

    write_now(f, memory_work, &first);
    write_now(f, memory_work, &second);
    write_now(f, memory_work, &first);
    both = recall(f, "example.net", NOW);
    g_assert_true(both.seen_tls && both.seen_trusted && both.refused_ipv6);
    g_assert_false(both.refused_ipv4);
}

/* "Nothing is due", "never seen TLS" and "no such name" are answers; this is none. */
static void
test_no_answer_is_not_none(Fixture *f, gconstpointer data)
{
    struct rlimit before = no_readers_begin(f->db);
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    HpRouteMemory memory;
    gboolean taken;
    gint64 number;
    g_autoptr(GError) error = NULL;

    no_readers_end(&before);
    g_assert_false(hp_rows_next_due(conn, "example.net", &number, &error));
    g_assert_nonnull(error);
    g_assert_false(hp_rows_first_due(conn, "example.net", NOW, &number, NULL));
    g_assert_false(hp_rows_load_memory(conn, "example.net", NOW, &memory, NULL));
    g_assert_false(hp_rows_is_taken(conn, "AAAAAA", &taken, NULL));
}

static void
test_none_is_an_answer(Fixture *f, gconstpointer data)
{
    g_autoptr(HpDbConn) conn = NULL;
    gboolean taken;
    gint64 number;

    insert(f, "AAAAAA", "a@example.net");
    conn = hp_db_lease(f->db);
    g_assert_true(hp_rows_next_due(conn, "example.com", &number, NULL));
    g_assert_cmpint(number, ==, G_MAXINT64);
    g_assert_true(hp_rows_next_due(conn, "example.net", &number, NULL));
    g_assert_cmpint(number, ==, NOW);
    g_assert_true(hp_rows_first_due(conn, "example.net", NOW - 1, &number, NULL));
    g_assert_cmpint(number, ==, 0);
    g_assert_true(hp_rows_is_taken(conn, "AAAAAB", &taken, NULL));
    g_assert_false(taken);
    g_assert_true(hp_rows_is_taken(conn, "AAAAAA", &taken, NULL));
    g_assert_true(taken);
}

static gboolean
share_work(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_rows_share_failure(conn, data, error);
}

static void
test_shares_in_batches(Fixture *f, gconstpointer data)
{
    char text[] = "no answer";
    HpReply reply = { HP_STAGE_CONNECT, 451, "4.4.1", text, NULL };
    HpRowsShare share = { "example.net", HP_JOB_DEFER, &reply, now, { 0, 0 } };

    for (guint i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("A%05u", i);

        insert(f, name, "a@example.net");
    }
    write_now(f, share_work, &share);
    g_assert_cmpint(number(f, "SELECT count(*) FROM recipient WHERE attempts = 1"), ==,
                    256);
    write_now(f, share_work, &share);
    g_assert_cmpint(number(f, "SELECT count(*) FROM recipient WHERE attempts = 1"), ==,
                    300);
    g_assert_cmpint(number(f, "SELECT count(*) FROM recipient WHERE code = 451"), ==,
                    300);
}

static void
test_story_is_bounded(Fixture *f, gconstpointer data)
{
    char text[] = "a\nb";
    HpRowsEvent event = { NOW, "said", 0, NULL, NULL, text };
    g_autoptr(HpQueueItem) item = NULL;

    insert(f, "AAAAAA", "a@example.net");
    item = claim(f);
    for (guint i = 0; i < 1000; i++)
        hp_queue_item_tell(item, &event);
    g_assert_cmpuint(item->events->len, ==, 64);
    g_assert_cmpstr(g_array_index(item->events, HpRowsEvent, 0).text, ==, "a b");
}

#define CASE(name, test)                                                                 \
    g_test_add("/queue-rows/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("destinations-are-compared-as-ascii", test_destination);
    CASE("claims-once-with-all-its-recipients", test_claims_once);
    CASE("the-last-recipient-gives-the-content-up", test_gives_content_up);
    CASE("local-mail-has-its-own-reference", test_local_has_its_own_reference);
    CASE("remembers-a-refused-family-for-a-week", test_remembers);
    CASE("unlearns-nothing", test_unlearns_nothing);
    CASE("no-answer-is-not-none", test_no_answer_is_not_none);
    CASE("none-is-an-answer", test_none_is_an_answer);
    CASE("shares-a-failure-in-batches", test_shares_in_batches);
    CASE("a-story-is-bounded-and-printable", test_story_is_bounded);
    return g_test_run();
}
