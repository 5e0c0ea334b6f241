/* hp-address: the mailbox addresses of SMTP paths (RFC 5321 §4.1.2) and of header fields
 * (RFC 5322 §3.4), with RFC 6531 UTF-8.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

/**
 * HpAddress: one mailbox, both parts valid UTF-8 without control characters
 */
typedef struct {
    char *local;  /* (owned): unquoted local part, may be empty for "postmaster"-less junk
                     in headers only */
    char *domain; /* (owned) (nullable): as written, or "[…]"; %NULL if unqualified */
    char *name;   /* (owned) (nullable): decoded display name, headers only */
} HpAddress;

void hp_address_free(HpAddress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpAddress, hp_address_free)

/**
 * hp_address_parse_path:
 * @c: cursor at "<"; on success it stands after ">"
 * @ret_address: (out) (transfer full) (nullable): %NULL for the null path "<>"
 *
 * Parses Reverse-path / Forward-path (RFC 5321 §4.1.2): source routes are dropped, quoted
 * local parts unquoted, "<postmaster>" and other unqualified addresses have no domain.
 * Local part at most 64 octets, domain 255, path 256 (§4.5.3.1). Lenient for addresses
 * that exist: dots at the edges of a local part or two in a row (they are written
 * quoted), and
 * "_" in a domain.
 *
 * Returns: %FALSE if it is not a path; nothing is consumed
 */
gboolean hp_address_parse_path(HpCursor *c, HpAddress **ret_address);

/* A bare address "anna@example.org", whole slice: settings and command lines. %NULL if it
 * is not one. */
HpAddress *hp_address_parse(HpSlice text);

/* "local@domain", the local part quoted where RFC 5321 wants it; only "local" without a
 * domain. The form in which addresses are stored and compared. */
char *hp_address_write(const HpAddress *self);

/**
 * hp_address_write_mailbox:
 * @name: (nullable): display name, valid UTF-8; control characters become spaces
 * @address: in hp_address_write() form
 * @column: width of what stands on the line already
 *
 * "Anna B. <anna@example.org>" for a header field: the name quoted or as encoded words
 * where it must be (RFC 5322 §3.4, RFC 2047 §5), folded before the address if it gets
 * long.
 *
 * Returns: (transfer full)
 */
char *hp_address_write_mailbox(const char *name, const char *address, guint column);

/* Equal for the purpose of "is it mine": domains without case, local parts without ASCII
 * case. */
gboolean hp_address_equal(const HpAddress *a, const HpAddress *b);

/**
 * hp_address_parse_list:
 * @value: an unfolded header field body
 * @max: at most that many mailboxes are returned (1,000 is the usual limit)
 *
 * Parses address-list of RFC 5322 §3.4, groups flattened, comments dropped, encoded words
 * of display names decoded. Lenient and iterative: what is not an address is skipped.
 * Input over 64 KiB is cut.
 *
 * Returns: (transfer full) (element-type HpAddress): may be empty
 */
GPtrArray *hp_address_parse_list(HpSlice value, guint max);

/* An address and where it stands in the field. */
typedef struct {
    HpAddress *address; /* (owned) */
    HpSlice spec;       /* the addr-spec, without "<" and ">", as a part of the input */
} HpAddressPlace;

/**
 * hp_address_scan:
 * @value: a field body, folded or not
 * @max: at most that many mailboxes are returned
 * @ret_whole: (out): %FALSE if something was skipped or cut, so that another program
 * might read another address there
 *
 * What hp_address_parse_list() does, for those who rewrite or judge a field.
 *
 * Returns: (transfer full) (element-type HpAddressPlace): frees what it holds
 */
GArray *hp_address_scan(HpSlice value, guint max, gboolean *ret_whole);

/* The domain in the form that DNS and SMTP without SMTPUTF8 want: IDNA2008 A-labels in
 * lower case (GnuTLS does it), literals unchanged. %NULL if it cannot be a domain. */
char *hp_address_domain_to_ascii(const char *domain);

/* %TRUE if the local part has bytes that need SMTPUTF8. */
gboolean hp_address_needs_smtputf8(const HpAddress *self);
