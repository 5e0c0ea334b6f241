#include "hp-sevenbit.h"

#include "hp-text.h"

#include <string.h>

#define UE "\xC3\xBC"

static GString *
convert(const char *text, GError **error)
{
    g_autofree char *exact = g_memdup2(text, strlen(text));

    return hp_sevenbit_convert((HpSlice){ exact, strlen(text) }, error);
}

static void
converts_what_it_may(void)
{
    static const struct {
        const char *message;
        const char *want;
    } rows[] = {
        /* ASCII stays byte for byte */
        { "Content-Transfer-Encoding: 8bit\r\n\r\nplain\r\n",
          "Content-Transfer-Encoding: 8bit\r\n\r\nplain\r\n" },
        { "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nGr" UE "n\r\n",
          "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\nGr=C3=BCn\r\n" },
        { "Subject: x\r\n\r\n" UE "\r\n",
          "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n" },
        { "Subject: x\r\n\r\n\xFC\r\n",
          "Subject: x\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=unknown-8bit\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=FC\r\n" },
        { "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" UE,
          "MIME-Version: 1.0\r\nContent-Type: text/html;\r\n charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC" },
        { "MIME-Version: 1.0\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: "
          "binary\r\n"
          "\r\n\xFF\r\n",
          "MIME-Version: 1.0\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: "
          "base64\r\n"
          "\r\n/w0K\r\n" },
        { "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
          "Content-Transfer-Encoding: 8bit\r\n\r\npre " UE
          "\r\n--b\r\n\r\nplain\r\n--b\r\n"
          "\r\n" UE "\r\n--b--\r\n",
          "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
          "Content-Transfer-Encoding: 7bit\r\n\r\npre ??\r\n--b\r\n\r\nplain\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n--b--\r\n" },
        { "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
          "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n\r\n" UE "\r\n",
          "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
          "Content-Transfer-Encoding: 7bit\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n" },
        { "Subject: Gr" UE "n\r\nFrom: J" UE "rg <a@b.example>, c@d.example\r\n\r\nx\r\n",
          "Subject: =?UTF-8?Q?Gr=C3=BCn?=\r\n"
          "From: =?UTF-8?Q?J=C3=BCrg?= <a@b.example>,\r\n c@d.example\r\n\r\nx\r\n" },
        /* what is signed and ASCII stays, its neighbour is converted */
        { "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Type: multipart/signed; "
          "boundary=s\r\n\r\n--s\r\n\r\nx\r\n--s--\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n\r\n" UE "\r\n--b--\r\n",
          "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Type: multipart/signed; "
          "boundary=s\r\n\r\n--s\r\n\r\nx\r\n--s--\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n--b--\r\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) got = convert(rows[i].message, &error);

        g_test_message("row %zu", i);
        g_assert_no_error(error);
        g_assert_cmpstr(got->str, ==, rows[i].want);
    }
}

static void
refuses_what_would_break(void)
{
    static const struct {
        const char *message;
        HpSevenbitError code;
    } rows[] = {
        { "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n" UE
          "\r\n--b--\r\n",
          HP_SEVENBIT_ERROR_SIGNED },
        { "Content-Transfer-Encoding: base64\r\n\r\n" UE "\r\n",
          HP_SEVENBIT_ERROR_STRUCTURE },
        { "Content-Transfer-Encoding: x-uue\r\n\r\n" UE "\r\n",
          HP_SEVENBIT_ERROR_STRUCTURE },
        { "Content-Type: message/partial\r\n\r\n" UE "\r\n",
          HP_SEVENBIT_ERROR_STRUCTURE },
        { "Content-Type: multipart/mixed\r\n\r\n" UE "\r\n",
          HP_SEVENBIT_ERROR_STRUCTURE },
        { "Content-Disposition: attachment; filename=" UE "\r\n\r\nx",
          HP_SEVENBIT_ERROR_HEADER },
        { "To: " UE "@b.example\r\n\r\nx", HP_SEVENBIT_ERROR_HEADER },
        { "To: f" UE ": a@b.example;\r\n\r\nx", HP_SEVENBIT_ERROR_HEADER },
        { "no field " UE "\r\n\r\nx", HP_SEVENBIT_ERROR_HEADER },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("row %zu", i);
        g_assert_null(convert(rows[i].message, &error));
        g_assert_error(error, HP_SEVENBIT_ERROR, (int)rows[i].code);
    }
}

static void
too_complex_is_refused(void)
{
    g_autoptr(GString) deep = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 100; i++)
        g_string_append(deep, "Content-Type: message/rfc822\r\n\r\n");
    g_string_append(deep, UE);
    g_assert_null(convert(deep->str, &error));
    g_assert_error(error, HP_SEVENBIT_ERROR, HP_SEVENBIT_ERROR_STRUCTURE);
}

static void
only_headers_are_wide(void)
{
    static const struct {
        const char *message;
        gboolean want;
    } rows[] = {
        { "Subject: x\r\n\r\nplain\r\n", FALSE },
        { "Subject: x\r\n\r\n" UE "\r\n", FALSE },
        { "Subject: " UE "\r\n\r\nplain\r\n", TRUE },
        { "Subject: " UE "\r\n", TRUE },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n" UE "\r\n--b\r\n\r\n" UE
          "\r\n--b--\r\n",
          FALSE },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Disposition: attachment; filename=" UE "\r\n\r\nx\r\n--b--\r\n",
          TRUE },
        { "Content-Type: message/rfc822\r\n\r\nSubject: " UE "\r\n\r\nx\r\n", TRUE },
        { "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n" UE "\r\n", FALSE },
        { "Content-Type: message/global\r\n\r\nSubject: " UE "\r\n\r\nx\r\n", FALSE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *exact = g_memdup2(rows[i].message, strlen(rows[i].message));

        g_test_message("row %zu", i);
        g_assert_cmpint(
            hp_sevenbit_has_wide_header((HpSlice){ exact, strlen(rows[i].message) }), ==,
            rows[i].want);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sevenbit/converts-what-it-may", converts_what_it_may);
    g_test_add_func("/sevenbit/refuses-what-would-break", refuses_what_would_break);
    g_test_add_func("/sevenbit/too-complex-is-refused", too_complex_is_refused);
    g_test_add_func("/sevenbit/only-headers-are-wide", only_headers_are_wide);
    return g_test_run();
}
