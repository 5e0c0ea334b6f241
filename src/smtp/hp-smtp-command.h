/* hp-smtp-command: the command lines that an SMTP server reads (RFC 5321 §4.1.1), with
 * the parameters of SIZE (RFC 1870), 8BITMIME (6152), SMTPUTF8 (6531), DSN (3461) and
 * AUTH (4954).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-address.h"
#include "hp-envelope.h"
#include "hp-slice.h"

/* Octets of a command line with CRLF: 512 (RFC 5321 §4.5.3.1.4) and what the parameters
 * may add: SIZE 26, BODY 17, AUTH 500, RET 9, ENVID 108; NOTIFY 28 and ORCPT 507. */
#define HP_SMTP_MAX_COMMAND_LINE 2048

/* With AUTH, a response of RFC 4954 §4's length behind it. */
#define HP_SMTP_MAX_AUTH_LINE (12288 + 64)

/**
 * HpSmtpParse:
 * @HP_SMTP_PARSE_OK: understood
 * @HP_SMTP_PARSE_SYNTAX: does not begin with "FROM:" or "TO:" (501 5.5.4)
 * @HP_SMTP_PARSE_ADDRESS: what follows is no address in angle brackets (501 5.1.7, 5.1.3)
 * @HP_SMTP_PARSE_VALUE: a parameter's value is wrong, or it is there twice (501 5.5.4)
 * @HP_SMTP_PARSE_UNKNOWN: a parameter that was not announced (555 5.5.4)
 */
typedef enum {
    HP_SMTP_PARSE_OK,
    HP_SMTP_PARSE_SYNTAX,
    HP_SMTP_PARSE_ADDRESS,
    HP_SMTP_PARSE_VALUE,
    HP_SMTP_PARSE_UNKNOWN,
} HpSmtpParse;

typedef struct {
    HpAddress *address; /* (owned) (nullable): %NULL for the null path */
    guint64 size;       /* announced octets, 0 if not given */
    gboolean eight_bit; /* BODY=8BITMIME */
    gboolean smtputf8;
    HpRet ret;
    char *envid; /* (owned) (nullable): decoded, printable ASCII */
} HpSmtpMail;

typedef struct {
    HpAddress *address; /* (owned): never %NULL after success */
    guint notify;       /* HpNotify bits */
    char *orcpt; /* (owned) (nullable): "rfc822;…", decoded, one printable line */
} HpSmtpRcpt;

void hp_smtp_mail_clear(HpSmtpMail *self);
void hp_smtp_rcpt_clear(HpSmtpRcpt *self);

/**
 * hp_smtp_parse_command:
 * @line: a command line without CRLF
 * @ret_verb: (out): the letters it begins with
 * @ret_args: (out): what follows the space after it, without white space at the end
 *    (RFC 5321 §4.1.1 asks servers to bear that)
 *
 * Returns: %FALSE if it does not begin with a word that a space or the end follows
 */
gboolean hp_smtp_parse_command(HpSlice line, HpSlice *ret_verb, HpSlice *ret_args);

/**
 * hp_smtp_parse_mail:
 * @args: what follows "MAIL "
 * @ret_mail: (out): zeroed by the caller; clear it in any case
 *
 * Parses "FROM:" Reverse-path [SP Mail-parameters] (RFC 5321 §4.1.1.2). Spaces before the
 * path are let pass, since many programs send one.
 */
HpSmtpParse hp_smtp_parse_mail(HpSlice args, HpSmtpMail *ret_mail);

/* The same for "TO:" Forward-path [SP Rcpt-parameters] (§4.1.1.3). */
HpSmtpParse hp_smtp_parse_rcpt(HpSlice args, HpSmtpRcpt *ret_rcpt);

/**
 * hp_smtp_decode_xtext:
 * @max_octets: longest xtext that is taken
 *
 * Decodes xtext (RFC 3461 §4).
 *
 * Returns: (transfer full) (nullable): printable ASCII, or %NULL if it is not that
 */
char *hp_smtp_decode_xtext(HpSlice xtext, size_t max_octets);

/* Encodes for a parameter: "+", "=" and what is not printable ASCII as "+XX". */
char *hp_smtp_encode_xtext(HpSlice text);
