/* An IMAP server with three messages for the transcripts: prints its port and the
 * password, and serves until its input ends. */
#include "imap-fixture.h"

#include "hp-log.h"

int
main(void)
{
    g_autoptr(GError) error = NULL;
    HpListener *listener;
    ImapFixture f;
    char byte;

    hp_log_init(FALSE);
    imap_set_up(&f);
    imap_fill(&f);
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
