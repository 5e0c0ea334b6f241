/* hp-imap-args: what stands behind the name of an IMAP command, token by token (RFC 9051
 * §9; RFC 3501 §9 where that allows more).
 *
 * A command is one piece of memory with its literals in place ("{5}\r\nhello"), so a
 * parser may go over it again. Each function consumes what it names and returns %TRUE, or
 * returns %FALSE; the hp_imap_take_ ones then remember what should have stood there, the
 * hp_imap_skip_ ones consume nothing and remember nothing.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

typedef struct {
    HpCursor c;         /* what is still to be read */
    const char *start;  /* (unowned): of the command, to say where something is wrong */
    const char *wanted; /* (unowned) (nullable): translated: what is missing ... */
    size_t where;       /* ... at this octet of the command, from 1 */
    gboolean uid_required; /* because a message number stands there (RFC 9586) */
} HpImapArgs;

#define HP_IMAP_MAX_NUMBER ((guint64)G_MAXUINT32)
#define HP_IMAP_MAX_MODSEQ ((guint64)G_MAXINT64) /* RFC 7162 §7: mod-sequence-value */

HpImapArgs hp_imap_args(HpSlice command);

/* Remembers that @what (translated) should stand here, if nothing is wrong yet; always
 * %FALSE. */
gboolean hp_imap_want(HpImapArgs *args, const char *what);

/* The same for a uid, where a message number stands and must not (RFC 9586 §3); always
 * %FALSE. */
gboolean hp_imap_want_uid(HpImapArgs *args);

int hp_imap_peek(const HpImapArgs *args); /* next octet, or -1 at the end */
gboolean hp_imap_skip(HpImapArgs *args, char byte);
/* A whole atom that is @word in any case: "FLAGS" does not begin "FLAGSX". */
gboolean hp_imap_skip_word(HpImapArgs *args, const char *word);

gboolean hp_imap_take_space(HpImapArgs *args); /* exactly one */
/* One of "()[]<>". */
gboolean hp_imap_take_char(HpImapArgs *args, char byte);
gboolean hp_imap_take_end(HpImapArgs *args); /* of the command: nothing is left */

/* ABNF: atom, tag (without "+"). @ret_atom: a view of the command. */
gboolean hp_imap_take_atom(HpImapArgs *args, HpSlice *ret_atom);
gboolean hp_imap_take_tag(HpImapArgs *args, HpSlice *ret_tag);

/* ABNF: string, astring, nstring. (out) (transfer full): free of NUL; nstring's NIL gives
 * %NULL. Octets above 127 come as they are. */
gboolean hp_imap_take_string(HpImapArgs *args, char **ret_text);
gboolean hp_imap_take_astring(HpImapArgs *args, char **ret_text);
gboolean hp_imap_take_nstring(HpImapArgs *args, char **ret_text);

/* ABNF: mailbox. @utf8: the name is UTF-8 instead of modified UTF-7. @ret_name: (out)
 * (transfer full) (nullable): as the store keeps it; %NULL for one that cannot be. */
gboolean hp_imap_take_mailbox_name(HpImapArgs *args, gboolean utf8, char **ret_name);

/* list-mailbox: an astring that may hold "%" and "*" (RFC 9051 §9). */
gboolean hp_imap_take_pattern(HpImapArgs *args, char **ret_text);

/* ABNF: number, up to @max; nz-number: not 0. */
gboolean hp_imap_take_number(HpImapArgs *args, guint64 max, guint64 *ret_number);
/* See hp_imap_take_number(). */
gboolean hp_imap_take_nz_number(HpImapArgs *args, guint64 max, guint64 *ret_number);

/* "literal" in front of its octets, which are not consumed: "{5}\r\n", "{5+}\r\n". */
gboolean hp_imap_take_literal_size(HpImapArgs *args, guint64 *ret_octets);

/* ABNF: date ("1-Feb-2026", quotes allowed): days since 1970. */
gboolean hp_imap_take_date(HpImapArgs *args, gint64 *ret_day);

/* ABNF: date-time, in quotes: microseconds since 1970, and minutes east. */
gboolean hp_imap_take_date_time(HpImapArgs *args, gint64 *ret_usec, gint *ret_zone);

#define HP_IMAP_MAX_KEYWORD  100 /* octets */
#define HP_IMAP_MAX_KEYWORDS 100 /* of one command */

/* ABNF: flag-list, or flags without parentheses (STORE). \Recent is ignored, for clients
 * that send back what they got; other "\" flags that are not of RFC 9051 §2.3.2 are
 * wrong. */
typedef struct {
    guint32 flags;  /* HpStoreFlag bits */
    GStrv keywords; /* (owned) (nullable) */
} HpImapFlags;
void hp_imap_flags_clear(HpImapFlags *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpImapFlags, hp_imap_flags_clear)
gboolean hp_imap_take_flags(HpImapArgs *args, HpImapFlags *ret_flags);
/* One flag; the caller knows whether it is a keyword: 0 is one. @ret_flag: bit. */
gboolean hp_imap_take_flag(HpImapArgs *args, guint32 *ret_flag, HpSlice *ret_keyword);
