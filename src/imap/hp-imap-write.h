/* hp-imap-write: the pieces of which all answers are made (RFC 9051 §9). What is written
 * here can be read again by hp-imap-args; a test does so.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

/* string: quoted if it is short and may be, else a literal. @utf8: the client has said
 * that it takes UTF-8 in quoted strings (RFC 6855 §3, RFC 9051 §4.3); without that no
 * octet above 127 stands outside a literal. */
void hp_imap_out_string(GString *out, HpSlice bytes, gboolean utf8);
/* astring: as it is if that is letters, digits and hyphens, else a string. */
void hp_imap_out_astring(GString *out, HpSlice bytes);
/* A string, or literal8 ("~{5}") if there is a NUL in it (RFC 4466 §6). */
void hp_imap_out_string8(GString *out, HpSlice bytes, gboolean utf8);
/* The name of an annotation: as a word if that may be (RFC 5464 §5). */
void hp_imap_out_entry(GString *out, const char *entry);
/* nstring: NIL for %NULL. */
void hp_imap_out_nstring(GString *out, const char *text, gboolean utf8);
/* mailbox: UTF-8, or modified UTF-7. */
void hp_imap_out_mailbox(GString *out, const char *name, gboolean utf8);

/* "(\Seen $label1)"; @keywords: separated by spaces. */
void hp_imap_out_flags(GString *out, guint32 flags, const char *keywords);

/* date-time of INTERNALDATE and SAVEDATE, in its own zone. */
void hp_imap_out_date_time(GString *out, gint64 usec, gint zone);

/**
 * hp_imap_out_status:
 * @tag: "*" or the command's
 * @condition: OK, NO, BAD, BYE, PREAUTH
 * @code: (nullable): what stands in brackets
 * @text: for people; made ASCII, at most 400 octets; never empty on the wire
 *
 * Appends a status response with its line end (RFC 9051 §7.1).
 */
void hp_imap_out_status(GString *out, const char *tag, const char *condition,
                        const char *code, const char *text);

/* Decimal, and faster than printf: of each message that is fetched there are some. */
void hp_imap_out_number(GString *out, guint64 number);
