/* Tests of hp-text-stream: one case for each sentence of its header. */
#include "hp-text-stream.h"

#include <string.h>

static char *
read_in_pieces(HpMimeEncoding encoding, const char *charset, HpSlice bytes, size_t size)
{
    g_autoptr(HpTextStream) stream = hp_text_stream_new(encoding, charset);
    GString *out = g_string_new(NULL);

    for (size_t at = 0; at < bytes.len; at += size) {
        size_t before = out->len;
        size_t len = MIN(size, bytes.len - at);
        /* ASan sees one byte too many. */
        g_autofree char *piece = g_memdup2(bytes.data + at, len);

        hp_text_stream_feed(stream, (HpSlice){ piece, len }, FALSE, out);
        g_assert_true(g_utf8_validate(out->str + before, -1, NULL));
    }
    hp_text_stream_feed(stream, HP_SLICE_LITERAL(""), TRUE, out);
    return g_string_free(out, FALSE);
}

static void
assert_reads(HpMimeEncoding encoding, const char *charset, const char *bytes,
             const char *expected)
{
    HpSlice all = hp_slice_of(bytes);

    for (size_t size = 1; size <= all.len; size++) {
        g_autofree char *text = read_in_pieces(encoding, charset, all, size);

        g_assert_cmpstr(text, ==, expected);
    }
}

static void
test_undoes_transfer_encodings(void)
{
    assert_reads(HP_MIME_7BIT, NULL, "plain\r\ntext", "plain\r\ntext");
    assert_reads(HP_MIME_BASE64, "utf-8", "R3LD\r\nvMOf\r\nZQ==",
                 "Gr\xC3\xBC\xC3\x9F"
                 "e");
    assert_reads(HP_MIME_BASE64, "utf-8", "QUJD RA=\r\n= trailing", "ABCD");
    assert_reads(HP_MIME_BASE64, "utf-8", "QUJDRA", "ABCD"); /* without its end */
    assert_reads(HP_MIME_QUOTED_PRINTABLE, "utf-8",
                 "Gr=C3=BC=C3=\r\n=9Fe   \r\nund =\r\nmehr",
                 "Gr\xC3\xBC\xC3\x9F"
                 "e\r\nund mehr");
}

static void
test_undoes_character_sets(void)
{
    assert_reads(HP_MIME_8BIT, "iso-8859-1", "M\xFCller \x80",
                 "M\xC3\xBCller \xE2\x82\xAC");
    assert_reads(HP_MIME_8BIT, "KOI8-R", "\xCD\xC9\xD2", "\xD0\xBC\xD0\xB8\xD1\x80");
    assert_reads(HP_MIME_7BIT, "ISO-2022-JP", "\x1B$B4A;z\x1B(B.",
                 "\xE6\xBC\xA2\xE5\xAD\x97.");
    assert_reads(HP_MIME_8BIT, "Shift_JIS", "\x8A\xBF\x8E\x9A",
                 "\xE6\xBC\xA2\xE5\xAD\x97");
}

static void
test_guesses_without_a_character_set(void)
{
    assert_reads(HP_MIME_8BIT, NULL,
                 "Gr\xC3\xB6\xC3\x9F"
                 "e",
                 "Gr\xC3\xB6\xC3\x9F"
                 "e");
    assert_reads(HP_MIME_8BIT, "x-unknown",
                 "Gr\xF6\xDF"
                 "e",
                 "Gr\xC3\xB6\xC3\x9F"
                 "e");
    assert_reads(HP_MIME_8BIT, "//IGNORE",
                 "\x93"
                 "a\x94",
                 "\xE2\x80\x9C"
                 "a\xE2\x80\x9D");
    assert_reads(HP_MIME_8BIT, "us-ascii", "\xC3\xB6", "\xC3\xB6");
}

static void
test_what_cannot_be_read_becomes_a_sign(void)
{
    assert_reads(HP_MIME_8BIT, "EUC-JP", "a\xFF", "a\xEF\xBF\xBD");
    assert_reads(HP_MIME_8BIT, "Shift_JIS", "a\x8A", "a\xEF\xBF\xBD"); /* half of one */
    {
        g_autofree char *text =
            read_in_pieces(HP_MIME_BINARY, NULL, (HpSlice){ "a\0b", 3 }, 2);

        g_assert_cmpstr(text, ==,
                        "a\xEF\xBF\xBD"
                        "b");
    }
}

static void
test_memory_is_bounded_in_long_lines(void)
{
    g_autoptr(HpTextStream) stream = hp_text_stream_new(HP_MIME_QUOTED_PRINTABLE, NULL);
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < 100; i++) {
        g_autofree char *piece = g_strnfill(4096, 'x');

        hp_text_stream_feed(stream, hp_slice_of(piece), FALSE, out);
    }
    g_assert_cmpuint(out->len, >, (size_t)50 * 4096);
    hp_text_stream_feed(stream, HP_SLICE_LITERAL("=41"), TRUE, out);
    g_assert_cmpuint(out->len, ==, (size_t)100 * 4096 + 1);
    g_assert_cmpint(out->str[out->len - 1], ==, 'A');
}

static void
test_converts_strictly(void)
{
    g_autofree char *koi8 =
        hp_text_stream_convert(HP_SLICE_LITERAL("\xCD\xC9\xD2"), "koi8-r");

    g_assert_cmpstr(koi8, ==, "\xD0\xBC\xD0\xB8\xD1\x80");
    g_assert_null(hp_text_stream_convert(HP_SLICE_LITERAL("a"), "x-no-such-set"));
    g_assert_null(hp_text_stream_convert(HP_SLICE_LITERAL("a"), "utf-8//IGNORE"));
    g_assert_null(hp_text_stream_convert(HP_SLICE_LITERAL("\xFF"), "utf-8"));
    g_assert_null(hp_text_stream_convert(HP_SLICE_LITERAL("\xC3"), "utf-8"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text-stream/undoes-transfer-encodings",
                    test_undoes_transfer_encodings);
    g_test_add_func("/text-stream/undoes-character-sets", test_undoes_character_sets);
    g_test_add_func("/text-stream/guesses-without-a-character-set",
                    test_guesses_without_a_character_set);
    g_test_add_func("/text-stream/what-cannot-be-read-becomes-a-sign",
                    test_what_cannot_be_read_becomes_a_sign);
    g_test_add_func("/text-stream/memory-is-bounded-in-long-lines",
                    test_memory_is_bounded_in_long_lines);
    g_test_add_func("/text-stream/converts-strictly", test_converts_strictly);
    return g_test_run();
}
