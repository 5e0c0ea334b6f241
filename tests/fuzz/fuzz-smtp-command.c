/* Command lines: whatever is accepted must be bounded, printable and come back the same.
 */
#include "hp-smtp-command.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *text)
{
    g_autofree char *xtext = NULL;
    g_autofree char *again = NULL;

    if (text == NULL)
        return;
    for (const char *p = text; *p != '\0'; p++)
        g_assert_true((unsigned char)*p >= ' ' && *p != 127);
    if (!g_str_is_ascii(text))
        return;
    xtext = hp_smtp_encode_xtext(hp_slice_of(text));
    again = hp_smtp_decode_xtext(hp_slice_of(xtext), 4096);
    g_assert_cmpstr(again, ==, text);
}

static void
check_address(const HpAddress *address)
{
    if (address == NULL)
        return;
    g_assert_nonnull(address->local);
    g_assert_true(g_utf8_validate(address->local, -1, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpSlice line = { (const char *)data, size };
    HpSlice verb = { NULL, 0 }, args = { NULL, 0 };
    HpSmtpMail mail = { 0 };
    HpSmtpRcpt rcpt = { 0 };

    if (!hp_smtp_parse_command(line, &verb, &args))
        args = line;
    if (hp_smtp_parse_mail(args, &mail) == HP_SMTP_PARSE_OK) {
        check_address(mail.address);
        check_text(mail.envid);
    }
    if (hp_smtp_parse_rcpt(args, &rcpt) == HP_SMTP_PARSE_OK) {
        g_assert_nonnull(rcpt.address);
        check_address(rcpt.address);
        check_text(rcpt.orcpt);
        g_assert_cmpuint(rcpt.notify, <, 16);
    }
    hp_smtp_mail_clear(&mail);
    hp_smtp_rcpt_clear(&rcpt);
    return 0;
}
