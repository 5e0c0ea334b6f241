/* An IMAP server with three messages for the transcripts: prints its port and the
 * password, and serves until its input ends. With the word "outbox" there is a queue with
 * two messages, of which the second cannot be stopped any more. */
#include "imap-fixture.h"

#include "hp-log.h"

static gboolean
cancel(gpointer self, const guint32 *uids, guint n, GError **error)
{
    for (guint i = 0; i < n; i++)
        if (uids[i] == 2) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "it is on its way");
            return FALSE;
        }
    return TRUE;
}

static void
add_outbox(ImapFixture *f)
{
    gint64 id = 0;

    hp_store_create(f->options.store, "Outbox", HP_STORE_OUTBOX_USE, &id, NULL);
    f->options.outbox = (HpOutbox){ NULL, id, cancel, cancel };
    imap_append_to(f, id, HP_SLICE_LITERAL("Subject: first\r\n\r\n"), 0);
    imap_append_to(f, id, HP_SLICE_LITERAL("Subject: second\r\n\r\n"), 0);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    HpListener *listener;
    ImapFixture f;
    char byte;

    hp_log_init(FALSE);
    imap_set_up(&f);
    imap_fill(&f);
    if (argc > 1 && g_str_equal(argv[1], "outbox"))
        add_outbox(&f);
    listener = hp_listener_new(NULL, 0, &error);
    g_assert_no_error(error);
    {
        const HpService service = { .name = "imap",
                                    .serve = hp_imap_serve,
                                    .data = &f.options };

        hp_listener_add_port(listener, &service, 0, &error);
        g_assert_no_error(error);
    }
    hp_listener_start(listener, &error);
    g_assert_no_error(error);
    printf("%u %s\n", hp_listener_port(listener, "imap", FALSE), f.password);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    hp_listener_free(listener);
    imap_tear_down(&f);
    return 0;
}
