#include "queue-fixture.h"

#include "hp-fs.h"
#include "hp-lock.h"
#include "no-readers.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_USEC (20 * G_USEC_PER_SEC)
#define START_USEC    (20000 * G_TIME_SPAN_DAY)
#define BODY          "Subject: test\r\n\r\nHello.\r\n"

/* Shared with the queue's threads; one for the test program. */
static struct {
    HpLock lock;
    gint64 wall;
    gint64 boot;
    GPtrArray *carried;  /* (owned): char * */
    GPtrArray *inbox;    /* (owned): char * */
    GHashTable *origins; /* (owned) */
    gboolean refuse_inbox;
    gboolean die_in_inbox;
    HpDb *break_in_inbox; /* (unowned) (nullable) */
    struct rlimit mended;
    gboolean waiting;
    gboolean go;
    gboolean begun;
    gboolean answered;
    gboolean end;
} world; /* nocheck: the fakes of the test */

static gint64
fake_now(gpointer data, HpClockKind kind)
{
    HP_LOCKED(&world.lock);

    return kind == HP_CLOCK_WALL ? world.wall : world.boot;
}

static const HpClock fake_clock = { fake_now, NULL };

static gboolean
wait_for(gboolean (*condition)(gpointer data), gpointer data)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_USEC;

    while (!condition(data)) {
        if (g_get_monotonic_time() > until)
            return FALSE;
        g_usleep(1000);
    }
    return TRUE;
}

/* The transport */

static void
say(HpCarryRecipient *r, HpOutcome outcome, HpStage stage, guint code,
    const char *enhanced)
{
    r->outcome = outcome;
    hp_reply_clear(&r->reply);
    r->reply.stage = stage;
    r->reply.code = code;
    g_strlcpy(r->reply.enhanced, enhanced, sizeof r->reply.enhanced);
    r->reply.text = g_strdup("said so");
    r->reply.host = g_strdup("mx.example");
}

static gboolean
is(const HpCarryRecipient *r, const char *what)
{
    return g_str_has_prefix(r->address, what);
}

static gboolean
may_go(gpointer flag)
{
    HP_LOCKED(&world.lock);

    return *(gboolean *)flag;
}

static void
wait_for_test(void)
{
    {
        HP_LOCKED(&world.lock);
        world.waiting = TRUE;
    }
    g_assert_true(wait_for(may_go, &world.go));
}

static void
wait_at_dot(HpCarry *carry, HpCarryRecipient *r)
{
    gboolean begun;

    wait_for_test();
    begun = carry->dot_begins(carry);
    {
        HP_LOCKED(&world.lock);
        world.begun = begun;
        world.answered = TRUE;
    }
    if (!begun) {
        r->outcome = HP_OUTCOME_UNTRIED;
        return;
    }
    g_assert_true(wait_for(may_go, &world.end));
    say(r, HP_OUTCOME_DELIVERED, HP_STAGE_DOT, 250, "2.0.0");
}

static void
decide(HpCarry *carry, HpCarryRecipient *r)
{
    if (is(r, "quiet"))
        wait_for_test();
    if (is(r, "ok") || is(r, "gap"))
        say(r, HP_OUTCOME_DELIVERED, HP_STAGE_DOT, 250, "2.0.0");
    else if (is(r, "no"))
        say(r, HP_OUTCOME_REFUSED, HP_STAGE_RCPT, 550, "5.1.1");
    else if (is(r, "later"))
        say(r, HP_OUTCOME_DEFERRED, HP_STAGE_RCPT, 451, "4.7.1");
    else if (is(r, "lost"))
        say(r, HP_OUTCOME_UNCERTAIN, HP_STAGE_DOT, 451, "4.4.2");
    else if (is(r, "down") || is(r, "quiet"))
        say(r, HP_OUTCOME_DEFERRED, HP_STAGE_CONNECT, 451, "4.4.1");
    else if (is(r, "line"))
        say(r, HP_OUTCOME_NETWORK, HP_STAGE_CONNECT, 451, "4.4.1");
    else if (is(r, "closed"))
        say(r, HP_OUTCOME_NETWORK, HP_STAGE_GREETING, 554, "5.7.1");
    else if (is(r, "wait"))
        wait_at_dot(carry, r);
    else if (is(r, "die"))
        _exit(7);
    else if (is(r, "dot") && carry->dot_begins(carry))
        _exit(8);
    r->relayed_without_dsn = is(r, "ok.nodsn");
}

static void
note_transaction(const HpCarryMessage *message)
{
    GString *line = g_string_new(NULL);
    HP_LOCKED(&world.lock);

    for (guint i = 0; i < message->recipients->len; i++) {
        const HpCarryRecipient *r = message->recipients->pdata[i];

        g_string_append_printf(line, "%s%s", i > 0 ? "," : "", r->address);
    }
    g_ptr_array_add(world.carried, g_string_free(line, FALSE));
}

static void
check_bytes(const HpCarryMessage *message)
{
    char buffer[256];
    g_autoptr(GError) error = NULL;
    gssize n = message->read(message->content, 0, buffer, sizeof buffer, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(buffer, (int)MIN(n, (gssize)strlen(BODY)), BODY, (int)strlen(BODY));
    g_assert_cmpuint(message->size % strlen(BODY), ==, 0); /* once, or more often */
}

static void
fake_carry(gpointer self, HpCarry *carry)
{
    HpCarryMessage *message;

    while ((message = carry->next(carry)) != NULL) {
        HpCarryRecipient *first = message->recipients->pdata[0];
        HpEvent event = { .kind = HP_EVENT_CONNECTED,
                          .stage = HP_STAGE_CONNECT,
                          .host = "mx.example",
                          .text = "192.0.2.1",
                          .recipient = is(first, "ok.named") ? first->address : NULL };
        gboolean reached = !is(first, "down") && !is(first, "quiet") &&
                           !is(first, "line") && !is(first, "closed");
        gboolean gap = is(first, "gap");

        check_bytes(message);
        note_transaction(message);
        carry->tell(carry, &event);
        carry->memory.seen_tls = carry->memory.seen_tls || is(first, "ok.tls");
        for (guint i = 0; i < message->recipients->len; i++)
            decide(carry, message->recipients->pdata[i]);
        carry->settle(carry, message);
        if (!reached)
            return;
        if (gap)
            wait_for_test();
    }
}

/* The inbox */

static void
break_if_asked(void)
{
    HpDb *db;

    {
        HP_LOCKED(&world.lock);
        db = g_steal_pointer(&world.break_in_inbox);
    }
    if (db != NULL)
        world.mended = no_readers_begin(db);
}

static gboolean
fake_deliver(gpointer self, const char *origin, guint64 size, gpointer content,
             HpCarryRead read, GError **error)
{
    GString *text = g_string_new(NULL);
    char buffer[7];
    gssize n;

    while ((n = read(content, text->len, buffer, sizeof buffer, error)) > 0)
        g_string_append_len(text, buffer, n);
    g_assert_cmpint(n, ==, 0);
    g_assert_cmpuint(text->len, ==, size);
    break_if_asked();
    HP_LOCKED(&world.lock);
    if (world.die_in_inbox)
        _exit(9);
    if (world.refuse_inbox) {
        g_string_free(text, TRUE);
        g_set_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_FAILED, "the inbox is full");
        return FALSE;
    }
    if (g_hash_table_add(world.origins, g_strdup(origin)))
        g_ptr_array_add(world.inbox, g_string_free(text, FALSE));
    else
        g_string_free(text, TRUE);
    return TRUE;
}

/* The fixture */

void
fixture_open(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    HpQueueOptions options = { .state_path = self->folder,
                               .state_fd = self->folder_fd,
                               .runtime_path = self->folder,
                               .clock = &fake_clock,
                               .inbox = { NULL, fake_deliver },
                               .transport = { NULL, fake_carry },
                               .bounce_from_domain = "host.example",
                               .user_address = "anna@example.org",
                               .user_name = "Anna",
                               .concurrency = 20,
                               .per_destination = 4,
                               .give_up_sec = 5 * 24 * 3600,
                               .delay_notice_sec = 4 * 3600,
                               .seed = 42 };

    self->queue = hp_queue_open(&options, &error);
    g_assert_no_error(error);
}

void
fixture_start(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    hp_queue_start(self->queue, &error);
    g_assert_no_error(error);
}

void
fixture_close(Fixture *self)
{
    g_clear_pointer(&self->queue, hp_queue_close);
}

void
fixture_set_up(Fixture *self, gconstpointer data)
{
    memset(&world, 0, sizeof world);
    hp_lock_init(&world.lock);
    world.wall = START_USEC;
    world.boot = G_TIME_SPAN_DAY;
    world.carried = g_ptr_array_new_with_free_func(g_free);
    world.inbox = g_ptr_array_new_with_free_func(g_free);
    world.origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->folder = g_dir_make_tmp("hp-queue-XXXXXX", NULL);
    self->folder_fd = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(self->folder_fd, >=, 0);
    fixture_open(self);
    fixture_start(self);
}

static void
remove_folder(char *folder)
{
    char rm[] = "rm";
    char option[] = "-rf";
    char *argv[] = { rm, option, folder, NULL };

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
}

void
fixture_tear_down(Fixture *self, gconstpointer data)
{
    fixture_close(self);
    close(self->folder_fd);
    remove_folder(self->folder);
    g_free(self->folder);
    g_ptr_array_unref(world.carried);
    g_ptr_array_unref(world.inbox);
    g_hash_table_unref(world.origins);
    hp_lock_clear(&world.lock);
}

void
fixture_pass(Fixture *self, gint64 usec)
{
    {
        HP_LOCKED(&world.lock);
        world.wall += usec;
        world.boot += usec;
    }
    hp_queue_look_again(self->queue);
}

void
fixture_set_clock_unseen(gint64 delta_usec)
{
    HP_LOCKED(&world.lock);

    world.wall += delta_usec;
}

void
fixture_set_clock(Fixture *self, gint64 delta_usec)
{
    fixture_set_clock_unseen(delta_usec);
    hp_queue_look_again(self->queue);
}

char *
fixture_submit_large(Fixture *self, const char *sender, const char *addresses,
                     guint notify, guint times)
{
    HpIntake intake = hp_queue_intake(self->queue);
    g_autoptr(HpEnvelope) envelope = hp_envelope_new();
    g_auto(GStrv) list = g_strsplit(addresses, ",", -1);
    g_autoptr(GError) error = NULL;
    HpIntakeDraft *draft = intake.begin(intake.self, 0, &error);
    char *id = NULL;

    g_assert_no_error(error);
    g_free(envelope->sender);
    envelope->sender = g_strdup(sender);
    envelope->subject = g_strdup("test");
    for (char **address = list; *address != NULL; address++) {
        HpEnvelopeRecipient *r = hp_envelope_add(envelope, *address);

        r->local = g_str_has_prefix(*address, "me");
        r->notify = notify;
    }
    for (guint i = 0; i < times; i++)
        g_assert_true(intake.append(draft, HP_SLICE_LITERAL(BODY), &error));
    intake.commit(draft, envelope, &id, &error);
    g_assert_no_error(error);
    return id;
}

char *
fixture_submit(Fixture *self, const char *sender, const char *addresses, guint notify)
{
    return fixture_submit_large(self, sender, addresses, notify, 1);
}

static GVariant *
recipient(Fixture *self, const char *id, guint i)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) message = hp_queue_show(self->queue, id, &error);
    g_autoptr(GVariant) all = NULL;

    g_assert_no_error(error);
    g_variant_ref_sink(message);
    all = g_variant_lookup_value(message, "recipients", G_VARIANT_TYPE("aa{sv}"));
    return g_variant_get_child_value(all, i);
}

char *
fixture_field(Fixture *self, const char *id, guint i, const char *key)
{
    g_autoptr(GVariant) r = recipient(self, id, i);
    char *text = NULL;

    g_variant_lookup(r, key, "s", &text);
    return text;
}

guint
fixture_attempts(Fixture *self, const char *id, guint i)
{
    g_autoptr(GVariant) r = recipient(self, id, i);
    guint32 n = 0;

    g_assert_true(g_variant_lookup(r, "attempts", "u", &n));
    return n;
}

void
fixture_wait_attempts(Fixture *self, const char *id, guint n)
{
    gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (fixture_attempts(self, id, 0) != n && g_get_monotonic_time() < until)
        g_usleep(1000);
    g_assert_cmpuint(fixture_attempts(self, id, 0), ==, n);
}

void
fixture_wait_state(Fixture *self, const char *id, guint i, const char *state)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_USEC;

    for (;;) {
        g_autofree char *now = fixture_field(self, id, i, "state");

        if (g_str_equal(now, state))
            return;
        if (g_get_monotonic_time() > until)
            g_assert_cmpstr(now, ==, state);
        g_usleep(1000);
    }
}

guint
fixture_carried(void)
{
    HP_LOCKED(&world.lock);

    return world.carried->len;
}

guint
fixture_inbox_len(void)
{
    HP_LOCKED(&world.lock);

    return world.inbox->len;
}

static gboolean
has_carried(gpointer n)
{
    return fixture_carried() >= GPOINTER_TO_UINT(n);
}

static gboolean
has_inbox(gpointer n)
{
    return fixture_inbox_len() >= GPOINTER_TO_UINT(n);
}

void
fixture_wait_carried(guint n)
{
    g_assert_true(wait_for(has_carried, GUINT_TO_POINTER(n)));
    g_assert_cmpuint(fixture_carried(), ==, n);
}

void
fixture_wait_inbox(guint n)
{
    g_assert_true(wait_for(has_inbox, GUINT_TO_POINTER(n)));
    g_assert_cmpuint(fixture_inbox_len(), ==, n);
}

char *
fixture_transaction(guint i)
{
    HP_LOCKED(&world.lock);

    return g_strdup(world.carried->pdata[i]);
}

char *
fixture_inbox_text(guint i)
{
    HP_LOCKED(&world.lock);

    return g_strdup(world.inbox->pdata[i]);
}

void
fixture_refuse_inbox(gboolean refuse)
{
    HP_LOCKED(&world.lock);

    world.refuse_inbox = refuse;
}

void
fixture_break_reads_in_inbox(Fixture *self)
{
    HP_LOCKED(&world.lock);

    world.break_in_inbox = hp_queue_db(self->queue);
}

void
fixture_break_reads(Fixture *self)
{
    world.mended = no_readers_begin(hp_queue_db(self->queue));
}

void
fixture_mend_reads(void)
{
    no_readers_end(&world.mended);
}

static gboolean
run_sql(HpDbConn *conn, gpointer sql, GError **error)
{
    return hp_db_run(conn, error, sql, "");
}

static void
run(Fixture *self, const char *sql)
{
    g_autoptr(GError) error = NULL;

    hp_db_write(hp_queue_db(self->queue), run_sql, (gpointer)(gsize)sql, &error);
    g_assert_no_error(error);
}

void
fixture_break_writes(Fixture *self, const char *sql)
{
    run(self, sql);
}

void
fixture_mend_writes(Fixture *self)
{
    run(self, "DROP INDEX broken");
}

void
fixture_die_in_inbox(void)
{
    HP_LOCKED(&world.lock);

    world.die_in_inbox = TRUE;
}

void
fixture_wait_for_dot(void)
{
    g_assert_true(wait_for(may_go, &world.waiting));
}

gboolean
fixture_let_dot_begin(void)
{
    {
        HP_LOCKED(&world.lock);
        world.go = TRUE;
    }
    g_assert_true(wait_for(may_go, &world.answered));
    return may_go(&world.begun);
}

void
fixture_let_go_on(void)
{
    HP_LOCKED(&world.lock);

    world.go = TRUE;
}

void
fixture_let_dot_end(void)
{
    HP_LOCKED(&world.lock);

    world.end = TRUE;
}

void
fixture_in_child(Fixture *self, void (*work)(Fixture *self), int status)
{
    pid_t child;
    int ended;

    fixture_close(self); /* no threads of ours across the fork */
    child = fork();
    if (child == 0) {
        fixture_open(self);
        fixture_start(self);
        work(self);
        _exit(1);
    }
    g_assert_cmpint(waitpid(child, &ended, 0), ==, child);
    g_assert_true(WIFEXITED(ended));
    g_assert_cmpint(WEXITSTATUS(ended), ==, status);
}
