#include "hp-status.h"

static void
reads_codes(void)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "5.1.1", "5.1.1" },
        { "2.0.0 ok", "2.0.0" },
        { "4.7.650", "4.7.650" },
        { "5.01.001", "5.1.1" },
        { "3.1.1", NULL },
        { "5.1", NULL },
        { "5.1.1.1", NULL },
        { "5.1.1234", NULL },
        { "55.1.1", NULL },
        { "05.1.1", NULL },
        { "", NULL },
        { "5..1", NULL },
        { "5.1.", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpCursor c = hp_cursor_over(hp_slice_of(rows[i].text));
        const char *before = c.at;
        HpStatus status;
        char code[HP_STATUS_SIZE];

        g_test_message("%s", rows[i].text);
        if (rows[i].want == NULL) {
            g_assert_false(hp_status_parse(&c, &status));
            g_assert_true(c.at == before);
            continue;
        }
        g_assert_true(hp_status_parse(&c, &status));
        hp_status_write(&status, code);
        g_assert_cmpstr(code, ==, rows[i].want);
    }
}

static void
replies_have_a_status(void)
{
    static const struct {
        guint code;
        const char *enhanced;
        const char *want;
    } rows[] = {
        { 550, "5.1.1", "5.1.1" },   { 450, "5.1.1", "4.0.0" }, { 550, "", "5.0.0" },
        { 250, "", "2.0.0" },        { 421, "4.7.0", "4.7.0" }, { 354, "", "5.0.0" },
        { 550, "5.1.1 x", "5.0.0" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpStatus status;
        char code[HP_STATUS_SIZE];

        hp_status_of_reply(rows[i].code, rows[i].enhanced, &status);
        hp_status_write(&status, code);
        g_assert_cmpstr(code, ==, rows[i].want);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status/reads-codes", reads_codes);
    g_test_add_func("/status/replies-have-a-status", replies_have_a_status);
    return g_test_run();
}
