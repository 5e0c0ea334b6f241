#include "hp-config-check.h"

#include "hp-config.h"
#include "hp-endpoint.h"
#include "hp-identities.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <gnutls/x509.h>
#include <string.h>

#define SHOWN_CHARS 60 /* of a name, in a message */

/* --- each value --- */

static gboolean
has_forbidden(HpSlice value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.data[i] <= ' ' || value.data[i] == 0x7F ||
            strchr("<>\"", value.data[i]) != NULL)
            return TRUE;
    return FALSE;
}

const char *
hp_config_check_account(HpSlice value)
{
    return has_forbidden(value) || !hp_identities_takes_account(value)
               ? N_("must be an address such as anna@example.org")
               : NULL;
}

const char *
hp_config_check_identity(HpSlice value)
{
    return has_forbidden(value) || !hp_identities_takes_identity(value)
               ? N_("must be an address such as anna@example.org, or *@example.org")
               : NULL;
}

const char *
hp_config_check_local(HpSlice value)
{
    return has_forbidden(value) || !hp_identities_takes_local(value)
               ? N_("must be addresses or names before an @")
               : NULL;
}

const char *
hp_config_check_word(HpSlice value)
{
    return has_forbidden(value) ? N_("must be one word") : NULL;
}

/* "_AT" */
static gboolean
is_country(HpSlice text)
{
    return text.len == 3 && text.data[0] == '_' && g_ascii_isupper(text.data[1]) &&
           g_ascii_isupper(text.data[2]);
}

/* "de", "de_AT": the country changes nothing, but people know it from $LANG. */
const char *
hp_config_check_language(HpSlice value)
{
    static const char *const spoken[] = { "en", "de" };
    HpCursor c = hp_cursor_over(value);
    HpSlice language = hp_cursor_take_until(&c, '_');

    for (gsize i = 0; i < G_N_ELEMENTS(spoken); i++)
        if (hp_slice_equal(language, hp_slice_of(spoken[i])) &&
            (hp_cursor_at_end(&c) || is_country(hp_cursor_rest(&c))))
            return NULL;
    return N_("must be a language that Hauspost speaks: en or de");
}

const char *
hp_config_check_server(HpSlice value)
{
    HpEndpoint endpoint;

    return hp_endpoint_parse(value, 0, &endpoint)
               ? NULL
               : N_("must be addresses of name servers such as 192.0.2.1 or "
                    "[2001:db8::1]:53");
}

/* letters, digits, hyphens and dots: what other servers accept */
const char *
hp_config_check_hostname(HpSlice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!g_ascii_isalnum(value.data[i]) && value.data[i] != '-' &&
            value.data[i] != '.')
            return N_("must be a host name such as mail.example.org");
    return NULL;
}

static gboolean
has_certificates(const char *path)
{
    g_autofree char *pem = NULL;
    gsize len = 0;
    gnutls_x509_crt_t *list = NULL;
    guint n = 0;
    gboolean good;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
        !g_file_get_contents(path, &pem, &len, NULL) || len > G_MAXUINT)
        return FALSE;
    good = gnutls_x509_crt_list_import2(
               &list, &n, &(gnutls_datum_t){ (unsigned char *)(gpointer)pem, (guint)len },
               GNUTLS_X509_FMT_PEM, 0) >= 0;
    for (guint i = 0; good && i < n; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return good && n > 0;
}

const char *
hp_config_check_ca_file(HpSlice value)
{
    g_autofree char *path = hp_slice_dup(value);

    return g_path_is_absolute(path) && has_certificates(path)
               ? NULL
               : N_("must be the whole path of a file of certificates (PEM)");
}

/* --- all of them --- */

static void
clear_problem(gpointer problem)
{
    g_free(((HpConfigProblem *)problem)->text);
}

static void complain(GArray *problems, guint line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void
complain(GArray *problems, guint line, const char *format, ...)
{
    HpConfigProblem *problem;
    va_list args;

    g_array_set_size(problems, problems->len + 1);
    problem = &g_array_index(problems, HpConfigProblem, problems->len - 1);
    problem->line = line;
    va_start(args, format);
    problem->text = g_strdup_vprintf(format, args);
    va_end(args);
}

static void
check_identities(const HpSettings *settings, GArray *problems)
{
    g_autofree const char **names = hp_settings_names(settings, "identity");

    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *shown = hp_text_printable(hp_slice_of(names[i]), SHOWN_CHARS);

        if (hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, names[i])[0] == '\0')
            complain(problems, hp_settings_section_line(settings, "identity", names[i]),
                     _("[identity %s] needs an address"), shown);
    }
}

/* Two services cannot listen at the same port. */
static void
check_ports(const HpSettings *settings, GArray *problems)
{
    const HpSettingSpec *specs = hp_config_table().specs;

    for (guint b = HP_CONFIG_LISTEN_SMTP; b <= HP_CONFIG_LISTEN_POP3_TLS; b++) {
        gint64 port = hp_settings_number(settings, b, NULL);

        for (guint a = HP_CONFIG_LISTEN_SMTP; port != 0 && a < b; a++)
            if (hp_settings_number(settings, a, NULL) == port)
                complain(problems,
                         MAX(hp_settings_line(settings, a, NULL),
                             hp_settings_line(settings, b, NULL)),
                         _("%s and %s cannot both have port %d"), specs[a].key,
                         specs[b].key, (int)port);
    }
}

static int
by_line(gconstpointer a, gconstpointer b)
{
    const HpConfigProblem *x = a, *y = b;

    return x->line < y->line ? -1 : x->line > y->line;
}

GArray *
hp_config_check(const HpSettings *settings)
{
    GArray *problems = g_array_new(FALSE, TRUE, sizeof(HpConfigProblem));

    g_array_set_clear_func(problems, clear_problem);
    check_identities(settings, problems);
    check_ports(settings, problems);
    g_array_sort(problems, by_line);
    return problems;
}
