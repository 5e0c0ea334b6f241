#include "hp-transfer.h"

#include <string.h>

static void
decodes_leniently(void)
{
    static const struct {
        const char *encoded;
        const char *want;
    } base64[] = {
        { "SGFsbG8=", "Hallo" },   { "SGFs\r\nbG8=", "Hallo" }, { "SGFsbG8", "Hallo" },
        { "S-G*F s bG8=", "Hallo" }, { "SGFsbG8=SGFs", "Hallo" },  { "", "" },
        { "S", "" },               { "SG", "H" },
    }, quoted[] = {
        { "a=C3=BC", "a\xC3\xBC" }, { "a=\r\nb", "ab" },      { "a= \r\nb", "ab" },
        { "a  \r\nb", "a\r\nb" },   { "a=XYb", "a=XYb" },     { "a=c3", "a\xC3" },
        { "a=", "a" },              { "a=4", "a=4" },         { "a\nb", "a\nb" },
        { "", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(base64); i++) {
        g_autoptr(GString) out = g_string_new(NULL);

        hp_transfer_decode_base64(hp_slice_of(base64[i].encoded), out);
        g_assert_cmpstr(out->str, ==, base64[i].want);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(quoted); i++) {
        g_autoptr(GString) out = g_string_new(NULL);

        hp_transfer_decode_quoted_printable(hp_slice_of(quoted[i].encoded), out);
        g_assert_cmpstr(out->str, ==, quoted[i].want);
    }
}

static void
check_lines(const GString *encoded)
{
    HpCursor c = hp_cursor_over(hp_slice_of_string(encoded));

    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        hp_cursor_skip(&c, '\n');
        g_assert_cmpuint(hp_slice_trim(line).len, <=, 76);
        for (size_t i = 0; i < line.len; i++)
            g_assert_cmpuint((unsigned char)line.data[i], <, 0x7F);
    }
}

static void
encodes_any_bytes_and_back(void)
{
    for (guint round = 0; round < 300; round++) {
        g_autoptr(GString) bytes = g_string_new(NULL);
        g_autoptr(GString) quoted = g_string_new(NULL);
        g_autoptr(GString) base64 = g_string_new(NULL);
        g_autoptr(GString) back = g_string_new(NULL);
        HpSlice all;

        for (guint i = 0; i < round; i++)
            g_string_append_c(bytes, (char)(round % 3 == 0 ? g_test_rand_int_range(0, 256)
                                                           : " \r\n=.Fa\xC3"[i * 7 % 8]));
        all = hp_slice_of_string(bytes);
        hp_transfer_encode_quoted_printable(all, quoted);
        hp_transfer_encode_base64(all, base64);
        check_lines(quoted);
        check_lines(base64);
        hp_transfer_decode_quoted_printable(hp_slice_of_string(quoted), back);
        g_assert_cmpmem(back->str, (int)back->len, all.data, (int)all.len);
        g_string_truncate(back, 0);
        hp_transfer_decode_base64(hp_slice_of_string(base64), back);
        g_assert_cmpmem(back->str, (int)back->len, all.data, (int)all.len);
    }
}

static void
guards_line_starts(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_transfer_encode_quoted_printable(
        HP_SLICE_LITERAL("From here\r\n.\r\nend \r\nlast"), out);
    g_assert_cmpstr(out->str, ==, "=46rom here\r\n=2E\r\nend=20\r\nlast");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/transfer/decodes-leniently", decodes_leniently);
    g_test_add_func("/transfer/encodes-any-bytes-and-back", encodes_any_bytes_and_back);
    g_test_add_func("/transfer/guards-line-starts", guards_line_starts);
    return g_test_run();
}
