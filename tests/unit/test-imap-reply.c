/* Tests of hp-imap-reply: what a long command says meanwhile, and when it gives up. */
#include "hp-imap-session-private.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    HpChannel *channel; /* (owned) */
    int peer;
    HpImapSession s;
} Fixture;

static void
set_up(Fixture *f, gconstpointer unused)
{
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    f->channel = hp_channel_new(ends[0]);
    f->peer = ends[1];
    f->s = (HpImapSession){ .channel = f->channel,
                            .state = HP_IMAP_SELECTED,
                            .tag = g_strdup("A1"),
                            .progress_usec = g_get_monotonic_time() };
    hp_channel_set_deadline(f->channel, g_get_monotonic_time() + 60 * G_USEC_PER_SEC);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    hp_channel_free(f->channel);
    if (f->peer >= 0)
        close(f->peer);
    g_free(f->s.tag);
}

/* What has arrived at the other end: (transfer full). */
static char *
heard(Fixture *f)
{
    char buffer[1024];
    ssize_t n = recv(f->peer, buffer, sizeof buffer, MSG_DONTWAIT);

    return g_strndup(buffer, n > 0 ? (size_t)n : 0);
}

/* RFC 9585 §4 */
static void
test_says_that_it_works(Fixture *f, gconstpointer unused)
{
    g_autofree char *early = NULL;
    g_autofree char *late = NULL;
    g_autofree char *unknown = NULL;

    g_assert_true(hp_imap_progress(&f->s, 1, 10));
    early = heard(f);
    g_assert_cmpstr(early, ==, "");
    f->s.progress_usec -= 11 * G_USEC_PER_SEC;
    g_assert_true(hp_imap_progress(&f->s, 4, 10));
    g_assert_true(hp_imap_progress(&f->s, 5, 10));
    late = heard(f);
    g_assert_true(g_str_has_prefix(late, "* OK [INPROGRESS (\"A1\" 4 10)] "));
    f->s.progress_usec -= 11 * G_USEC_PER_SEC;
    g_assert_true(hp_imap_progress(&f->s, 5, 0));
    unknown = heard(f);
    g_assert_true(g_str_has_prefix(unknown, "* OK [INPROGRESS (\"A1\" NIL NIL)] "));
}

static void
test_gives_up_when_the_channel_is_aborted(Fixture *f, gconstpointer unused)
{
    hp_channel_abort(f->channel);
    g_assert_false(hp_imap_progress(&f->s, 1, 10));
    g_assert_cmpint(f->s.state, ==, HP_IMAP_ENDED);
}

static void
test_gives_up_when_nobody_listens(Fixture *f, gconstpointer unused)
{
    close(f->peer);
    f->peer = -1;
    f->s.progress_usec -= 11 * G_USEC_PER_SEC;
    g_assert_false(hp_imap_progress(&f->s, 1, 10));
    g_assert_cmpint(f->s.state, ==, HP_IMAP_ENDED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/imap-reply/says-that-it-works", Fixture, NULL, set_up,
               test_says_that_it_works, tear_down);
    g_test_add("/imap-reply/gives-up-when-the-channel-is-aborted", Fixture, NULL, set_up,
               test_gives_up_when_the_channel_is_aborted, tear_down);
    g_test_add("/imap-reply/gives-up-when-nobody-listens", Fixture, NULL, set_up,
               test_gives_up_when_nobody_listens, tear_down);
    return g_test_run();
}
