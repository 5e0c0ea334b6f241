#include "hp-identities.h"

#include "hp-text.h"

#include <gio/gio.h>
#include <glib/gi18n.h>

struct _HpIdentities {
    gatomicrefcount refs;
    char *account;    /* (owned) */
    GPtrArray *mine;  /* (owned): HpAddress; a local part of %NULL is "*" */
    GPtrArray *local; /* (owned): the same */
};

static void
free_address(gpointer data)
{
    hp_address_free(data);
}

static gboolean
is_pattern(HpSlice text)
{
    HpCursor c = hp_cursor_over(text);

    return hp_cursor_skip_word(&c, "*@");
}

/* "*@domain", or an address */
static HpAddress *
parse_pattern(HpSlice text)
{
    HpAddress *address = hp_address_parse(text);

    if (address != NULL && is_pattern(text))
        g_clear_pointer(&address->local, g_free);
    return address;
}

gboolean
hp_identities_takes_local(HpSlice text)
{
    g_autoptr(HpAddress) address = parse_pattern(text);

    return address != NULL;
}

gboolean
hp_identities_takes_identity(HpSlice text)
{
    g_autoptr(HpAddress) address = parse_pattern(text);

    return address != NULL && address->domain != NULL;
}

gboolean
hp_identities_takes_account(HpSlice text)
{
    return hp_identities_takes_identity(text) && !is_pattern(text);
}

static gboolean
add_patterns(GPtrArray *to, const char *const *texts, gboolean (*takes)(HpSlice text),
             GError **error)
{
    for (; texts != NULL && *texts != NULL; texts++) {
        HpSlice text = hp_slice_of(*texts);
        g_autofree char *shown = NULL;

        if (takes(text)) {
            g_ptr_array_add(to, parse_pattern(text));
            continue;
        }
        shown = hp_text_printable(text, 100);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    _("\"%s\" is not a mail address"), shown);
        return FALSE;
    }
    return TRUE;
}

HpIdentities *
hp_identities_new(const char *account, const char *const *identities,
                  const char *const *local, GError **error)
{
    const char *const accounts[] = { account, NULL };
    g_autoptr(HpIdentities) self = g_new0(HpIdentities, 1);

    g_atomic_ref_count_init(&self->refs);
    self->mine = g_ptr_array_new_with_free_func(free_address);
    self->local = g_ptr_array_new_with_free_func(free_address);
    if (!add_patterns(self->mine, accounts, hp_identities_takes_account, error) ||
        !add_patterns(self->mine, identities, hp_identities_takes_identity, error) ||
        !add_patterns(self->local, local, hp_identities_takes_local, error))
        return NULL;
    self->account = hp_address_write(g_ptr_array_index(self->mine, 0));
    return g_steal_pointer(&self);
}

HpIdentities *
hp_identities_ref(HpIdentities *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void
hp_identities_unref(HpIdentities *self)
{
    if (self == NULL || !g_atomic_ref_count_dec(&self->refs))
        return;
    g_free(self->account);
    g_ptr_array_unref(self->mine);
    g_ptr_array_unref(self->local);
    g_free(self);
}

const char *
hp_identities_account(const HpIdentities *self)
{
    return self->account;
}

static gboolean
matches_any(const GPtrArray *patterns, const HpAddress *address)
{
    for (guint i = 0; i < patterns->len; i++) {
        const HpAddress *pattern = g_ptr_array_index(patterns, i);
        /* "*" stands for whatever local part the address has. */
        HpAddress candidate = *pattern;

        if (candidate.local == NULL)
            candidate.local = address->local;
        if (hp_address_equal(&candidate, address))
            return TRUE;
    }
    return FALSE;
}

gboolean
hp_identities_allows(const HpIdentities *self, const HpAddress *address)
{
    return address->domain != NULL && matches_any(self->mine, address);
}

gboolean
hp_identities_allows_text(const HpIdentities *self, HpSlice text)
{
    g_autoptr(HpAddress) address = hp_address_parse(text);

    return address != NULL && hp_identities_allows(self, address);
}

gboolean
hp_identities_is_unqualified(const HpAddress *address, const char *hostname)
{
    const char *domain = address->domain;

    if (domain == NULL || g_ascii_strcasecmp(domain, "localhost") == 0 ||
        g_ascii_strcasecmp(domain, "localhost.localdomain") == 0)
        return TRUE;
    if (strlen(domain) > strlen(".localhost") &&
        g_ascii_strcasecmp(domain + strlen(domain) - strlen(".localhost"),
                           ".localhost") == 0)
        return TRUE;
    return hostname != NULL && g_ascii_strcasecmp(domain, hostname) == 0;
}

gboolean
hp_identities_is_local(const HpIdentities *self, const HpAddress *address,
                       const char *hostname)
{
    return hp_identities_is_unqualified(address, hostname) ||
           matches_any(self->local, address);
}

char *
hp_identities_complete_sender(const HpIdentities *self, const HpAddress *address,
                              const char *hostname)
{
    if (hp_identities_is_unqualified(address, hostname) &&
        !hp_identities_allows(self, address))
        return g_strdup(self->account);
    return hp_address_write(address);
}

char *
hp_identities_complete_recipient(const HpIdentities *self, const HpAddress *address,
                                 const char *hostname)
{
    g_autofree char *written = hp_address_write(address);

    if (address->domain != NULL)
        return g_steal_pointer(&written);
    return g_strconcat(written, "@",
                       hostname != NULL && *hostname != '\0' ? hostname : "localhost",
                       NULL);
}
