#include "hp-imap-args.h"
#include "hp-imap-write.h"
#include "hp-store.h"

#include <string.h>

/* What was written is read again by the parser of commands. */
static void
assert_string(HpSlice bytes, gboolean utf8, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *back = NULL;
    HpImapArgs args;

    hp_imap_out_string(out, bytes, utf8);
    g_assert_cmpstr(out->str, ==, expected);
    args = hp_imap_args(hp_slice_of_string(out));
    g_assert_true(hp_imap_take_string(&args, &back));
    g_assert_true(hp_imap_take_end(&args));
    g_assert_cmpmem(back, (int)strlen(back), bytes.data, (int)bytes.len);
}

static void
test_strings(void)
{
    assert_string(HP_SLICE_LITERAL(""), FALSE, "\"\"");
    assert_string(HP_SLICE_LITERAL("a \"b\" \\c"), FALSE, "\"a \\\"b\\\" \\\\c\"");
    assert_string(HP_SLICE_LITERAL("a\r\nb"), FALSE, "{4}\r\na\r\nb");
    assert_string(HP_SLICE_LITERAL("\xC3\xA4"), FALSE, "{2}\r\n\xC3\xA4");
    assert_string(HP_SLICE_LITERAL("\xC3\xA4"), TRUE, "\"\xC3\xA4\"");
    assert_string(HP_SLICE_LITERAL("\xC3"), TRUE, "{1}\r\n\xC3");
}

static void
test_every_octet(void)
{
    for (guint byte = 1; byte < 256; byte++) {
        char c = (char)byte;
        g_autoptr(GString) out = g_string_new(NULL);
        g_autofree char *back = NULL;
        HpImapArgs args;

        hp_imap_out_string(out, (HpSlice){ &c, 1 }, byte % 2 == 0);
        args = hp_imap_args(hp_slice_of_string(out));
        g_assert_true(hp_imap_take_string(&args, &back));
        g_assert_true(hp_imap_take_end(&args));
        g_assert_cmpint(back[0], ==, c);
    }
}

static void
test_octets_with_nul(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_imap_out_string8(out, HP_SLICE_LITERAL("a\"b"), FALSE);
    hp_imap_out_string8(out, HP_SLICE_LITERAL(""), FALSE);
    hp_imap_out_string8(out, HP_SLICE_LITERAL("a\0b"), FALSE);
    g_assert_cmpmem(out->str, (int)out->len, "\"a\\\"b\"\"\"~{3}\r\na\0b", 17);
}

static void
test_entries(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_imap_out_entry(out, "/private/vendor/a-b_c.d");
    g_string_append_c(out, ' ');
    hp_imap_out_entry(out, "/private/a b");
    g_string_append_c(out, ' ');
    hp_imap_out_entry(out, "/private/(a)");
    g_assert_cmpstr(out->str, ==,
                    "/private/vendor/a-b_c.d \"/private/a b\" \"/private/(a)\"");
}

static void
test_nothing(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_imap_out_nstring(out, NULL, FALSE);
    g_string_append_c(out, ' ');
    hp_imap_out_nstring(out, "NIL", FALSE);
    g_assert_cmpstr(out->str, ==, "NIL \"NIL\"");
}

static void
test_mailboxes(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_imap_out_mailbox(out, "Entw\xC3\xBCrfe", FALSE);
    g_string_append_c(out, ' ');
    hp_imap_out_mailbox(out, "Entw\xC3\xBCrfe", TRUE);
    g_assert_cmpstr(out->str, ==, "\"Entw&APw-rfe\" \"Entw\xC3\xBCrfe\"");
}

static void
test_flags(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(HpImapFlags) flags = { 0 };
    HpImapArgs args;

    hp_imap_out_flags(out, 0, "");
    g_assert_cmpstr(out->str, ==, "()");
    g_string_truncate(out, 0);
    hp_imap_out_flags(out, HP_STORE_SEEN | HP_STORE_DRAFT, "$a b");
    g_assert_cmpstr(out->str, ==, "(\\Seen \\Draft $a b)");
    args = hp_imap_args(hp_slice_of_string(out));
    g_assert_true(hp_imap_take_flags(&args, &flags));
    g_assert_cmpuint(flags.flags, ==, HP_STORE_SEEN | HP_STORE_DRAFT);
}

static void
assert_moment(gint64 sec, gint zone, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);
    HpImapArgs args;
    gint64 usec;
    gint back;

    hp_imap_out_date_time(out, sec * G_USEC_PER_SEC, zone);
    g_assert_cmpstr(out->str, ==, expected);
    args = hp_imap_args(hp_slice_of_string(out));
    g_assert_true(hp_imap_take_date_time(&args, &usec, &back));
    g_assert_cmpint(usec, ==, sec * G_USEC_PER_SEC);
    g_assert_cmpint(back, ==, zone);
}

static void
test_moments(void)
{
    assert_moment(0, 0, "\" 1-Jan-1970 00:00:00 +0000\"");
    assert_moment(837596665, -420, "\"17-Jul-1996 02:44:25 -0700\"");
    assert_moment(-1800, 90, "\" 1-Jan-1970 01:00:00 +0130\"");
}

static void
test_status(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_imap_out_status(out, "*", "OK", "UIDNEXT 4",
                       "Gr\xC3\xBC\xC3\x9F"
                       "e\r\nA1 BAD");
    hp_imap_out_status(out, "a1", "NO", NULL, "");
    g_assert_cmpstr(out->str, ==, "* OK [UIDNEXT 4] Gruesse  A1 BAD\r\na1 NO .\r\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-write/strings-are-quoted-or-literals", test_strings);
    g_test_add_func("/imap-write/every-octet-comes-back", test_every_octet);
    g_test_add_func("/imap-write/octets-with-nul-are-literal8", test_octets_with_nul);
    g_test_add_func("/imap-write/entries-are-words-if-they-may-be", test_entries);
    g_test_add_func("/imap-write/nothing-is-nil", test_nothing);
    g_test_add_func("/imap-write/mailboxes-in-utf7-or-utf8", test_mailboxes);
    g_test_add_func("/imap-write/flags", test_flags);
    g_test_add_func("/imap-write/moments", test_moments);
    g_test_add_func("/imap-write/status-is-one-line-with-a-text", test_status);
    return g_test_run();
}
