#include "hp-mime-params.h"

#include <string.h>

static void
append(const HpMimeParam *param, gpointer out)
{
    static const char *const forms[] = { "plain", "joined", "decoded" };

    g_string_append_printf(out, "%s %.*s=%.*s\n", forms[param->form],
                           (int)param->name.len, param->name.data, (int)param->value.len,
                           param->value.data);
}

static void
check(const char *field, const char *wanted)
{
    g_autofree char *exact = g_memdup2(field, strlen(field)); /* no byte behind it */
    g_autoptr(GString) out = g_string_new(NULL);

    hp_mime_each_param((HpSlice){ exact, strlen(field) }, append, out);
    g_assert_cmpstr(out->str, ==, wanted);
}

static void
gives_values_as_they_are_meant(void)
{
    check("attachment; filename=a.txt; Size=7", "plain filename=a.txt\nplain Size=7\n");
    check("x/y; name=\"a \\\"b\\\".txt\"", "plain name=a \"b\".txt\n");
    check("attachment", "");
    check("", "");
}

static void
joins_sections_in_their_order(void)
{
    check("a; f*1=lo; f*0=hel; g=1", "joined f=hello\nplain g=1\n");
    check("a; f*0=a; f*2=c", "joined f=a\n"); /* behind a gap */
    check("a; f*x=1; f**=2", "plain f*x=1\nplain f**=2\n");
}

static void
decodes_percents_and_charsets(void)
{
    check("a; f*=iso-8859-1'de'%FCber", "decoded f=\xC3\xBC"
                                        "ber\n");
    check("a; f*0*=utf-8''%C3; f*1*=%BC; f*2=%41", "decoded f=\xC3\xBC%41\n");
    check("a; f*=no-quotes%21", "decoded f=no-quotes!\n");
    check("a; f*=utf-8''%4; g*=utf-8''%zz", "decoded f=%4\ndecoded g=%zz\n");
    check("a; f*=utf-8''a%00b", "decoded f=a\xEF\xBF\xBD"
                                "b\n");
}

static void
is_lenient_with_names_of_files(void)
{
    check("a; filename=My holiday.jpg; x=y",
          "plain filename=My holiday.jpg\nplain x=y\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mime-params/gives-values-as-they-are-meant",
                    gives_values_as_they_are_meant);
    g_test_add_func("/mime-params/joins-sections-in-their-order",
                    joins_sections_in_their_order);
    g_test_add_func("/mime-params/decodes-percents-and-charsets",
                    decodes_percents_and_charsets);
    g_test_add_func("/mime-params/is-lenient-with-names-of-files",
                    is_lenient_with_names_of_files);
    return g_test_run();
}
