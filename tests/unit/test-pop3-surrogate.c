#include "hp-pop3-surrogate.h"

#include "hp-text.h"

#include <string.h>

#define B HP_SLICE_LITERAL

static gboolean
append(HpSlice piece, gpointer data)
{
    g_string_append_len(data, piece.data, (gssize)piece.len);
    return TRUE;
}

static GString *
pass(HpSlice message, size_t split)
{
    g_autoptr(HpPop3Surrogate) surrogate = hp_pop3_surrogate_new();
    GString *out = g_string_new(NULL);

    g_assert_true(
        hp_pop3_surrogate_add(surrogate, (HpSlice){ message.data, split }, append, out));
    g_assert_true(hp_pop3_surrogate_add(
        surrogate, (HpSlice){ message.data + split, message.len - split }, append, out));
    g_assert_true(hp_pop3_surrogate_end(surrogate, append, out));
    return out;
}

static const struct {
    HpSlice message;
    HpSlice want;
} rows[] = {
    { B(""), B("") },
    { B("Subject: x\r\n y\r\n\r\nbody\r\n"), B("Subject: x\r\n y\r\n\r\nbody\r\n") },
    { B("Subject: x"), B("Subject: x") },
    { B("Subject: Gr\xC3\xBC\xC3\x9F"
        "e aus K\xC3\xB6ln heute\r\n\r\nK\xC3\xB6ln\r\n"),
      B("Subject: =?UTF-8?B?R3LDvMOfZQ==?= aus =?UTF-8?B?S8O2bG4=?= heute\r\n\r\n"
        "K\xC3\xB6ln\r\n") },
    { B("Subject: \xC3\xA4 \xC3\xB6\r\n\r\n"),
      B("Subject: =?UTF-8?B?w6Qgw7Y=?=\r\n\r\n") },
    { B("From: \"J\xC3\xBCrgen M\" <j@example.com>\r\n\r\n"),
      B("From: =?UTF-8?B?SsO8cmdlbiBN?= <j@example.com>\r\n\r\n") },
    { B("To: J\xC3\xBCrgen <j\xC3\xBC@example.com>, b@example.com\r\n\r\n"),
      B("To: =?UTF-8?B?SsO8cmdlbg==?= <invalid@internationalized-address.invalid>, "
        "b@example.com\r\n\r\n") },
    { B("To: \"\xC3\xA4 @home, x\", \"b c\" <b@example.com>\r\n\r\n"),
      B("To: =?UTF-8?B?w6QgQGhvbWUsIHg=?=, \"b c\" <b@example.com>\r\n\r\n") },
    { B("Subject: \xFF\r\n\r\n\xFF"), B("Subject: =?UTF-8?B?77+9?=\r\n\r\n\xFF") },
    { B("\r\nSubject: \xC3\xA4\r\n"), B("\r\nSubject: \xC3\xA4\r\n") },
};

static void
encodes_what_is_not_ascii_in_a_header(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (size_t split = 0; split <= rows[i].message.len; split++) {
            g_autoptr(GString) out = pass(rows[i].message, split);

            g_assert_cmpmem(out->str, (int)out->len, rows[i].want.data,
                            (int)rows[i].want.len);
        }
    }
}

static void
folds_a_long_word_at_a_character(void)
{
    g_autoptr(GString) message = g_string_new("Subject: ");
    g_autoptr(GString) out = NULL;
    g_auto(GStrv) lines = NULL;

    for (guint i = 0; i < 200; i++)
        g_string_append(message, "\xE2\x82\xAC");
    g_string_append(message, "\r\n\r\n");
    out = pass(hp_slice_of_string(message), 0);
    lines = g_strsplit(out->str, "\r\n", -1);
    g_assert_true(hp_text_is_ascii(hp_slice_of_string(out)));
    for (guint i = 0; lines[i] != NULL; i++)
        g_assert_cmpuint(strlen(lines[i]), <=, 86); /* with the name of the field */
    g_assert_cmpuint(g_strv_length(lines), >, 10);
}

static void
bounds_a_line_without_end(void)
{
    g_autofree char *flood = g_strnfill(200000, '\xC3');
    g_autoptr(GString) out = pass((HpSlice){ flood, 200000 }, 100000);

    g_assert_true(hp_text_is_ascii(hp_slice_of_string(out)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pop3-surrogate/encodes-what-is-not-ascii-in-a-header",
                    encodes_what_is_not_ascii_in_a_header);
    g_test_add_func("/pop3-surrogate/folds-a-long-word-at-a-character",
                    folds_a_long_word_at_a_character);
    g_test_add_func("/pop3-surrogate/bounds-a-line-without-end",
                    bounds_a_line_without_end);
    return g_test_run();
}
