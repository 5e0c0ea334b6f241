#include "hp-smtp-command.h"

#include <string.h>

/* The bytes at the end of an allocation of their own, so that ASan sees one too many. */
static HpSlice
exact(const char *text, char **ret_copy)
{
    size_t len = strlen(text);

    *ret_copy = g_memdup2(text, len);
    return (HpSlice){ *ret_copy, len };
}

static HpSmtpParse
parse_mail(const char *text, HpSmtpMail *mail)
{
    g_autofree char *copy = NULL;

    return hp_smtp_parse_mail(exact(text, &copy), mail);
}

static HpSmtpParse
parse_rcpt(const char *text, HpSmtpRcpt *rcpt)
{
    g_autofree char *copy = NULL;

    return hp_smtp_parse_rcpt(exact(text, &copy), rcpt);
}

static void
commands_have_a_verb(void)
{
    static const struct {
        const char *line, *verb, *args; /* verb NULL: not a command */
    } rows[] = {
        { "QUIT", "QUIT", "" },
        { "QUIT  \t", "QUIT", "" },
        { "mail FROM:<> ", "mail", "FROM:<>" },
        { "EHLO  a", "EHLO", " a" },
        { "", NULL, NULL },
        { " NOOP", NULL, NULL },
        { "NOOP\tx", NULL, NULL },
        { "1NOOP", NULL, NULL },
        { "NO\xc3\xa4", NULL, NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *copy = NULL;
        HpSlice verb = { NULL, 0 }, args = { NULL, 0 };
        gboolean ok = hp_smtp_parse_command(exact(rows[i].line, &copy), &verb, &args);

        g_assert_cmpint(ok, ==, rows[i].verb != NULL);
        if (!ok)
            continue;
        g_assert_cmpmem(verb.data, (int)verb.len, rows[i].verb,
                        (int)strlen(rows[i].verb));
        g_assert_cmpmem(args.data, (int)args.len, rows[i].args,
                        (int)strlen(rows[i].args));
    }
}

static void
mail_has_all_parameters(void)
{
    HpSmtpMail mail = { 0 };

    g_assert_cmpint(parse_mail("FROM:<anna@example.org> SIZE=1234 BODY=8BITMIME smtputf8 "
                               "RET=hdrs ENVID=a+2Bb AUTH=<> ",
                               &mail),
                    ==, HP_SMTP_PARSE_OK);
    g_assert_cmpstr(mail.address->local, ==, "anna");
    g_assert_cmpstr(mail.address->domain, ==, "example.org");
    g_assert_cmpuint(mail.size, ==, 1234);
    g_assert_true(mail.eight_bit);
    g_assert_true(mail.smtputf8);
    g_assert_cmpint(mail.ret, ==, HP_RET_HDRS);
    g_assert_cmpstr(mail.envid, ==, "a+b");
    hp_smtp_mail_clear(&mail);
    g_assert_cmpint(parse_mail("from: <> BODY=7bit RET=FULL", &mail), ==,
                    HP_SMTP_PARSE_OK);
    g_assert_null(mail.address);
    g_assert_false(mail.eight_bit);
    g_assert_cmpint(mail.ret, ==, HP_RET_FULL);
    hp_smtp_mail_clear(&mail);
}

static void
mail_says_what_is_wrong(void)
{
    static const struct {
        const char *args;
        HpSmtpParse want;
    } rows[] = {
        { "", HP_SMTP_PARSE_SYNTAX },
        { "TO:<a@b>", HP_SMTP_PARSE_SYNTAX },
        { "FROM", HP_SMTP_PARSE_SYNTAX },
        { "FROM:", HP_SMTP_PARSE_ADDRESS },
        { "FROM:a@b", HP_SMTP_PARSE_ADDRESS },
        { "FROM:<a@b", HP_SMTP_PARSE_ADDRESS },
        { "FROM:<a@b>SIZE=1", HP_SMTP_PARSE_ADDRESS },
        { "FROM:<a@b> SIZE", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> SIZE=", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> SIZE=1x", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> SIZE=99999999999999999999", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> SIZE=1 SIZE=2", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> BODY=BINARYMIME", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> BODY", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> SMTPUTF8=1", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> RET=ALL", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> ENVID", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> ENVID=a+0Ab", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> AUTH", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> =x", HP_SMTP_PARSE_VALUE },
        { "FROM:<a@b> NOTIFY=NEVER", HP_SMTP_PARSE_UNKNOWN },
        { "FROM:<a@b> X", HP_SMTP_PARSE_UNKNOWN },
        { "FROM:<a@b> X=y", HP_SMTP_PARSE_UNKNOWN },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpSmtpMail mail = { 0 };

        g_test_message("%s", rows[i].args);
        g_assert_cmpint(parse_mail(rows[i].args, &mail), ==, rows[i].want);
        hp_smtp_mail_clear(&mail);
    }
}

static void
rcpt_has_all_parameters(void)
{
    HpSmtpRcpt rcpt = { 0 };

    g_assert_cmpint(parse_rcpt("TO:<b@example.net> NOTIFY=success,Delay "
                               "ORCPT=rfc822;b+2Bc@example.net",
                               &rcpt),
                    ==, HP_SMTP_PARSE_OK);
    g_assert_cmpstr(rcpt.address->local, ==, "b");
    g_assert_cmpuint(rcpt.notify, ==, HP_NOTIFY_SUCCESS | HP_NOTIFY_DELAY);
    g_assert_cmpstr(rcpt.orcpt, ==, "rfc822;b+c@example.net");
    hp_smtp_rcpt_clear(&rcpt);
    g_assert_cmpint(parse_rcpt("TO:<Postmaster> NOTIFY=NEVER", &rcpt), ==,
                    HP_SMTP_PARSE_OK);
    g_assert_null(rcpt.address->domain);
    g_assert_cmpuint(rcpt.notify, ==, HP_NOTIFY_NEVER);
    hp_smtp_rcpt_clear(&rcpt);
}

static void
rcpt_says_what_is_wrong(void)
{
    static const struct {
        const char *args;
        HpSmtpParse want;
    } rows[] = {
        { "FROM:<a@b>", HP_SMTP_PARSE_SYNTAX },
        { "TO:<>", HP_SMTP_PARSE_ADDRESS },
        { "TO:<a b@c>", HP_SMTP_PARSE_ADDRESS },
        { "TO:<a@b> NOTIFY", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> NOTIFY=", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> NOTIFY=NEVER,DELAY", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> NOTIFY=SUCCESS,", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> NOTIFY=OFTEN", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> ORCPT=a@b", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> ORCPT=rfc822;", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> ORCPT=rfc822;a+0Db", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> ORCPT=;a@b", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> ORCPT=utf-8;\xff", HP_SMTP_PARSE_VALUE },
        { "TO:<a@b> SIZE=1", HP_SMTP_PARSE_UNKNOWN },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpSmtpRcpt rcpt = { 0 };

        g_test_message("%s", rows[i].args);
        g_assert_cmpint(parse_rcpt(rows[i].args, &rcpt), ==, rows[i].want);
        hp_smtp_rcpt_clear(&rcpt);
    }
}

static void
xtext_round_trips(void)
{
    static const struct {
        const char *xtext, *want; /* NULL: refused */
    } rows[] = {
        { "", "" },       { "abc", "abc" },      { "a+20b", "a b" }, { "+2B+3D", "+=" },
        { "+2b", NULL },  { "+2", NULL },        { "+", NULL },      { "a=b", NULL },
        { "a b", NULL },  { "+00", NULL },       { "+7F", NULL },    { "+C3+BC", NULL },
        { "\x7f", NULL }, { "123456789", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = hp_smtp_decode_xtext(hp_slice_of(rows[i].xtext), 8);

        g_assert_cmpstr(text, ==, rows[i].want);
        if (text != NULL) {
            g_autofree char *xtext = hp_smtp_encode_xtext(hp_slice_of(text));
            g_autofree char *again = hp_smtp_decode_xtext(hp_slice_of(xtext), 100);

            g_assert_cmpstr(again, ==, text);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp-command/commands-have-a-verb", commands_have_a_verb);
    g_test_add_func("/smtp-command/mail-has-all-parameters", mail_has_all_parameters);
    g_test_add_func("/smtp-command/mail-says-what-is-wrong", mail_says_what_is_wrong);
    g_test_add_func("/smtp-command/rcpt-has-all-parameters", rcpt_has_all_parameters);
    g_test_add_func("/smtp-command/rcpt-says-what-is-wrong", rcpt_says_what_is_wrong);
    g_test_add_func("/smtp-command/xtext-round-trips", xtext_round_trips);
    return g_test_run();
}
