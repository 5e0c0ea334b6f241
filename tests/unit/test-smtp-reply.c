#include "hp-smtp-reply.h"

#include <string.h>

static HpSmtpReplyStep
feed(HpSmtpReply *reply, const char *line)
{
    return hp_smtp_reply_add(reply, hp_slice_of(line));
}

static void
puts_lines_together(void)
{
    g_auto(HpSmtpReply) reply = { 0 };
    g_autofree char *text = NULL;

    g_assert_cmpint(feed(&reply, "550-5.1.1 no such"), ==, HP_SMTP_REPLY_MORE);
    g_assert_cmpint(feed(&reply, "550-5.1.1 user"), ==, HP_SMTP_REPLY_MORE);
    g_assert_cmpint(feed(&reply, "550 here\x1b[31m\xff"), ==, HP_SMTP_REPLY_DONE);
    g_assert_cmpuint(reply.code, ==, 550);
    g_assert_cmpstr(reply.enhanced, ==, "5.1.1");
    text = hp_smtp_reply_printable(&reply);
    g_assert_true(g_str_has_prefix(text, "no such user here"));
    g_assert_null(strchr(text, 0x1b));
    g_assert_true(g_utf8_validate(text, -1, NULL));
}

static void
reads_single_lines(void)
{
    static const struct {
        const char *line;
        guint code; /* 0: broken */
        const char *enhanced;
        const char *text;
    } rows[] = {
        { "250 2.0.0 Ok: queued", 250, "2.0.0", "Ok: queued" },
        { "250", 250, "", "" },
        { "250 ", 250, "", "" },
        { "354 go on", 354, "", "go on" },
        { "421 4.7.0 later", 421, "4.7.0", "later" },
        { "550 5.1.1", 550, "5.1.1", "" },
        /* The class must agree with the code (RFC 2034 §4). */
        { "550 2.1.1 odd", 550, "", "2.1.1 odd" },
        { "550 5.1.1.1 x", 550, "", "5.1.1.1 x" },
        { "550 5.7.606 banned", 550, "5.7.606", "banned" },
        { "550 5.1.1-x", 550, "", "5.1.1-x" },
        { "200 x", 200, "", "x" },
        { "599 x", 599, "", "x" },
        { "199 x", 0, "", "" },
        { "600 x", 0, "", "" },
        { "000 x", 0, "", "" },
        { "999 x", 0, "", "" },
        { "25 x", 0, "", "" },
        { "2500 x", 0, "", "" },
        { "250x", 0, "", "" },
        { "", 0, "", "" },
        { "HTTP/1.1 400 Bad Request", 0, "", "" },
        { "SSH-2.0-x", 0, "", "" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(HpSmtpReply) reply = { 0 };
        HpSmtpReplyStep step = feed(&reply, rows[i].line);
        g_autofree char *text = hp_smtp_reply_printable(&reply);

        g_test_message("%s", rows[i].line);
        g_assert_cmpint(step, ==,
                        rows[i].code != 0 ? HP_SMTP_REPLY_DONE : HP_SMTP_REPLY_BROKEN);
        if (rows[i].code == 0)
            continue;
        g_assert_cmpuint(reply.code, ==, rows[i].code);
        g_assert_cmpstr(reply.enhanced, ==, rows[i].enhanced);
        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
a_nul_is_no_text(void)
{
    g_auto(HpSmtpReply) good = { 0 };
    g_auto(HpSmtpReply) bad = { 0 };

    g_assert_cmpint(hp_smtp_reply_add(&good, HP_SLICE_LITERAL("250-a")), ==,
                    HP_SMTP_REPLY_MORE);
    g_assert_cmpint(hp_smtp_reply_add(&good, HP_SLICE_LITERAL("250 b\0c")), ==,
                    HP_SMTP_REPLY_BROKEN);
    g_assert_cmpint(hp_smtp_reply_add(&bad, HP_SLICE_LITERAL("550 5.1.1 \0")), ==,
                    HP_SMTP_REPLY_BROKEN);
}

static void
the_code_is_the_same_in_every_line(void)
{
    g_auto(HpSmtpReply) reply = { 0 };

    g_assert_cmpint(feed(&reply, "250-a"), ==, HP_SMTP_REPLY_MORE);
    g_assert_cmpint(feed(&reply, "550 b"), ==, HP_SMTP_REPLY_BROKEN);
}

static void
has_limits(void)
{
    g_auto(HpSmtpReply) many = { 0 };
    g_auto(HpSmtpReply) large = { 0 };
    g_auto(HpSmtpReply) longest = { 0 };
    g_autofree char *line = g_strnfill(HP_SMTP_REPLY_LINE - 2, 'x');
    g_autofree char *text = NULL;
    HpSmtpReplyStep step = HP_SMTP_REPLY_MORE;

    memcpy(line, "250-", 4);
    for (guint i = 0; i < HP_SMTP_REPLY_LINES; i++)
        g_assert_cmpint(feed(&many, "250-x"), ==, HP_SMTP_REPLY_MORE);
    g_assert_cmpint(feed(&many, "250-x"), ==, HP_SMTP_REPLY_BROKEN);
    while (step == HP_SMTP_REPLY_MORE)
        step = feed(&large, line);
    g_assert_cmpint(step, ==, HP_SMTP_REPLY_BROKEN);
    g_assert_cmpuint(large.octets, <=, HP_SMTP_REPLY_OCTETS + HP_SMTP_REPLY_LINE);
    g_assert_cmpint(feed(&longest, line), ==, HP_SMTP_REPLY_MORE);
    text = hp_smtp_reply_printable(&longest);
    g_assert_cmpint(g_utf8_strlen(text, -1), <=, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp-reply/puts-lines-together", puts_lines_together);
    g_test_add_func("/smtp-reply/reads-single-lines", reads_single_lines);
    g_test_add_func("/smtp-reply/a-nul-is-no-text", a_nul_is_no_text);
    g_test_add_func("/smtp-reply/the-code-is-the-same-in-every-line",
                    the_code_is_the_same_in_every_line);
    g_test_add_func("/smtp-reply/has-limits", has_limits);
    return g_test_run();
}
