#include "hp-mime.h"

#include <string.h>

/* "kind type/subtype body" for each part, indented by its depth. */
static char *
outline(const char *text)
{
    g_autofree char *exact = g_memdup2(text, strlen(text));
    g_autoptr(HpMime) mime = hp_mime_new((HpSlice){ exact, strlen(text) });
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < mime->parts->len; i++) {
        const HpMimePart *part = hp_mime_part(mime, i);
        g_autofree char *body = g_strndup(mime->message.data + part->body_start,
                                          part->body_end - part->body_start);

        g_string_append_printf(out, "%u:%.*s/%.*s", part->depth, (int)part->type.len,
                               part->type.data, (int)part->subtype.len,
                               part->subtype.data);
        if (part->kind == HP_MIME_LEAF)
            g_string_append_printf(out, "=[%s]", body);
        g_string_append_c(out, ' ');
    }
    return g_string_free(out, FALSE);
}

static void
finds_the_parts(void)
{
    static const struct {
        const char *message;
        const char *want;
    } rows[] = {
        { "", "0:text/plain=[] " },
        { "A: b\r\n\r\nhello\r\n", "0:text/plain=[hello\r\n] " },
        { "\r\nhello", "0:text/plain=[hello] " },
        { "Content-Type: TEXT/html; charset=x\r\n\r\n<p>", "0:TEXT/html=[<p>] " },
        { "Content-Type: junk\r\n\r\nx", "0:text/plain=[x] " },
        { "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npre\r\n--b\r\n\r\none\r\n"
          "--b  \r\nContent-Type: "
          "text/html\r\n\r\ntwo\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno",
          "0:multipart/mixed 1:text/plain=[one] 1:text/html=[two] " },
        { "Content-Type: multipart/mixed;\r\n boundary=b (x)\r\n\r\n--b\r\n"
          "Content-Type: multipart/alternative; "
          "boundary=bb\r\n\r\n--bb\r\n\r\n1\r\n--bb\r\n"
          "\r\n2\r\n--b\r\n\r\n3\r\n--b--\r\n",
          "0:multipart/mixed 1:multipart/alternative 2:text/plain=[1] 2:text/plain=[2] "
          "1:text/plain=[3] " },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner\r\n--b--\r\n",
          "0:multipart/mixed 1:message/rfc822 2:text/plain=[inner] " },
        { "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
          "x\r\n\r\n"
          "inner\r\n--b--\r\n",
          "0:multipart/digest 1:message/rfc822 2:text/plain=[inner] " },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\n"
          "--b\r\n\r\nx\r\n--b--",
          "0:multipart/mixed 1:a/b=[] 1:text/plain=[x] " },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nno end",
          "0:multipart/mixed 1:text/plain=[no end] " },
        { "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
          "0:multipart/mixed 1:text/plain=[one] " },
        { "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
          "0:multipart/mixed=[--b\r\n\r\nx] " },
        { "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64"
          "\r\n\r\n--b\r\n\r\none\r\n--b--",
          "0:multipart/mixed 1:text/plain=[one] " },
        { "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
          "0:message/rfc822=[QQ==] " },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = outline(rows[i].message);

        g_test_message("row %zu", i);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

static void
reads_parameters(void)
{
    static const struct {
        const char *field;
        const char *want;
    } rows[] = {
        { " text/plain; charset=utf-8", "utf-8" },
        { "text/plain; x=y; CHARSET = \"a \\\"b\" ; z", "a \"b" },
        { "text/plain (c;charset=no); (x) charset (y) = (z) q", "q" },
        { "text/plain; name=\"; charset=no\"; charset=yes", "yes" },
        { "text/plain; charset", NULL },
        { "text/plain; charset=\"open", "open" },
        { "text/plain; charset=\"\\", "" },
        { "", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = hp_mime_param(hp_slice_of(rows[i].field), "charset");

        g_test_message("row %zu", i);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

static void
encodings_are_known(void)
{
    static const struct {
        const char *field;
        HpMimeEncoding want;
    } rows[] = {
        { "Content-Transfer-Encoding: 8BIT\r\n", HP_MIME_8BIT },
        { "Content-Transfer-Encoding: (x) base64\r\n", HP_MIME_BASE64 },
        { "Content-Transfer-Encoding: Quoted-Printable\r\n", HP_MIME_QUOTED_PRINTABLE },
        { "Content-Transfer-Encoding: x-uue\r\n", HP_MIME_UNKNOWN_ENCODING },
        { "", HP_MIME_7BIT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat(rows[i].field, "\r\nx", NULL);
        g_autoptr(HpMime) mime = hp_mime_new(hp_slice_of(message));

        g_assert_cmpint(hp_mime_part(mime, 0)->encoding, ==, rows[i].want);
    }
}

static void
limits_hold(void)
{
    g_autoptr(GString) deep = g_string_new(NULL);
    g_autoptr(GString) wide =
        g_string_new("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    g_autoptr(GString) params = g_string_new("text/plain");
    g_autoptr(HpMime) a = NULL;
    g_autoptr(HpMime) b = NULL;

    for (guint i = 0; i < 20000; i++)
        g_string_append(deep, "Content-Type: message/rfc822\r\n\r\n");
    for (guint i = 0; i < 300000; i++)
        g_string_append(wide, "--b\r\n\r\n");
    for (guint i = 0; i < 100000; i++)
        g_string_append(params, "; a=b");
    g_string_append(params, "; charset=late");
    a = hp_mime_new(hp_slice_of_string(deep));
    b = hp_mime_new(hp_slice_of_string(wide));
    g_assert_true(a->truncated);
    g_assert_cmpuint(a->parts->len, ==, HP_MIME_MAX_DEPTH + 1);
    g_assert_cmpuint(hp_mime_part(a, 0)->body_end, ==, deep->len);
    g_assert_true(b->truncated);
    g_assert_cmpuint(b->parts->len, ==, HP_MIME_MAX_PARTS);
    g_assert_null(hp_mime_param(hp_slice_of_string(params), "charset"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mime/finds-the-parts", finds_the_parts);
    g_test_add_func("/mime/reads-parameters", reads_parameters);
    g_test_add_func("/mime/encodings-are-known", encodings_are_known);
    g_test_add_func("/mime/limits-hold", limits_hold);
    return g_test_run();
}
