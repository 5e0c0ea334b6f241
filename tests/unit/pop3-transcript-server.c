/* A POP3 server with three messages for the transcripts: prints its port and the
 * password, and serves until its input ends. */
#include "pop3-fixture.h"

#include "hp-log.h"

int
main(void)
{
    g_autoptr(GError) error = NULL;
    HpListener *listener;
    Pop3Fixture f;
    char byte;

    hp_log_init(FALSE);
    pop3_set_up(&f);
    pop3_fill(&f);
    listener = hp_listener_new(NULL, 0, &error);
    g_assert_no_error(error);
    {
        const HpService service = { .name = "pop3",
                                    .serve = hp_pop3_serve,
                                    .data = &f.options };

        hp_listener_add_port(listener, &service, 0, &error);
        g_assert_no_error(error);
    }
    hp_listener_start(listener, &error);
    g_assert_no_error(error);
    printf("%u %s\n", hp_listener_port(listener, "pop3", FALSE), f.password);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    hp_listener_free(listener);
    pop3_tear_down(&f);
    return 0;
}
