/* hp-identities: which addresses are the user's: as a sender, as a log-in name, and as a
 * recipient whose mail never leaves the machine.
 *
 * Threads: any; immutable once made.
 */
#pragma once

#include "hp-address.h"

typedef struct _HpIdentities HpIdentities;

/* What hp_identities_new() takes for the account (one address), for the further
 * identities (that, or "*@example.org") and as local (that, or a name without a domain).
 */
gboolean hp_identities_takes_account(HpSlice text);
gboolean hp_identities_takes_identity(HpSlice text);
gboolean hp_identities_takes_local(HpSlice text);

/**
 * hp_identities_new:
 * @account: the account's address, always an identity
 * @identities: (nullable): further ones: "anna@example.org" or "*@example.org"
 * @local: (nullable): addresses whose mail goes into the user's own INBOX, besides names
 *    without a domain: "root", "anna@home.example", or "*@home.example"
 * @error: #G_IO_ERROR_INVALID_ARGUMENT, naming the address
 *
 * Lists end with %NULL.
 */
HpIdentities *hp_identities_new(const char *account, const char *const *identities,
                                const char *const *local, GError **error);
HpIdentities *hp_identities_ref(HpIdentities *self);
void hp_identities_unref(HpIdentities *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpIdentities, hp_identities_unref)

/* The account's address in hp_address_write() form. (transfer none) */
const char *hp_identities_account(const HpIdentities *self);

/* %TRUE if mail may be sent as @address: it is an identity, domains in any case and in
 * U- or A-labels, local parts without ASCII case. Unqualified addresses never are; they
 * are completed first. */
gboolean hp_identities_allows(const HpIdentities *self, const HpAddress *address);

/* The same for text: a log-in name. %FALSE also if it is not an address. */
gboolean hp_identities_allows_text(const HpIdentities *self, HpSlice text);

/* %TRUE if the domain of @address is missing, "localhost" (also with a dot and more, as
 * RFC 6761 §6.3 wants) or @hostname (nullable): a name of this machine, which nobody
 * outside can answer to. */
gboolean hp_identities_is_unqualified(const HpAddress *address, const char *hostname);

/* %TRUE if mail to @address goes into the user's own INBOX: unqualified in that sense,
 * or one of the local addresses. The user's address at a provider is not local. */
gboolean hp_identities_is_local(const HpIdentities *self, const HpAddress *address,
                                const char *hostname);

/* The address to send from: the account's if @address is unqualified, else @address, in
 * hp_address_write() form. (transfer full) */
char *hp_identities_complete_sender(const HpIdentities *self, const HpAddress *address,
                                    const char *hostname);

/* The recipient with a domain: @hostname (or "localhost") where there is none.
 * (transfer full) */
char *hp_identities_complete_recipient(const HpIdentities *self, const HpAddress *address,
                                       const char *hostname);
