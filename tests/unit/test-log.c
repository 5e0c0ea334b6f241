#include "hp-log.h"

static void
log_in_child(gboolean verbose)
{
    hp_log_init(verbose);
    hp_log("smtp", "7Q2KXM", G_LOG_LEVEL_MESSAGE, "taken from %s", "a\r\nb\x1b[31m");
    hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "look here");
    hp_log("queue", NULL, G_LOG_LEVEL_INFO, "for the curious");
    hp_log("queue", NULL, G_LOG_LEVEL_DEBUG, "for us");
}

static void
writes_topic_subject_and_sentence(void)
{
    if (g_test_subprocess()) {
        log_in_child(FALSE);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*hauspostd: notice: smtp: 7Q2KXM: taken from a b [31m\n*");
    g_test_trap_assert_stderr("*hauspostd: warning: queue: look here\n*");
}

static void
is_silent_about_details_unless_verbose(void)
{
    if (g_test_subprocess()) {
        log_in_child(FALSE);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr_unmatched("*for the curious*");
    g_test_trap_assert_stderr_unmatched("*for us*");
}

static void
keeps_quiet_what_libraries_chat(void)
{
    if (g_test_subprocess()) {
        hp_log_init(TRUE);
        g_debug("chat of GLib");
        g_message("chat of another");
        g_warning("something is wrong");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr_unmatched("*chat*");
    g_test_trap_assert_stderr("*warning: something is wrong\n*");
}

static void
tells_details_when_verbose(void)
{
    if (g_test_subprocess()) {
        log_in_child(TRUE);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*info: queue: for the curious\n*debug: queue: for us\n*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
    g_test_add_func("/log/writes-topic-subject-and-sentence",
                    writes_topic_subject_and_sentence);
    g_test_add_func("/log/is-silent-about-details-unless-verbose",
                    is_silent_about_details_unless_verbose);
    g_test_add_func("/log/tells-details-when-verbose", tells_details_when_verbose);
    g_test_add_func("/log/keeps-quiet-what-libraries-chat",
                    keeps_quiet_what_libraries_chat);
    return g_test_run();
}
