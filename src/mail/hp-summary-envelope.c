#include "hp-address.h"
#include "hp-charset.h"
#include "hp-summary-private.h"
#include "hp-text.h"

static void
write_name(GString *out, HpSlice name)
{
    if (name.len == 0)
        g_string_append(out, "NIL");
    else
        hp_summary_write_text(out, name);
}

/* A domain in U-labels is written in A-labels for those without UTF-8. */
static void
write_host(GString *out, HpSlice domain)
{
    g_autofree char *utf8 = NULL;
    g_autofree char *ascii = NULL;

    if (!hp_text_is_ascii(domain)) {
        utf8 = g_utf8_make_valid(domain.data, (gssize)domain.len);
        ascii = hp_address_domain_to_ascii(utf8);
    }
    if (ascii == NULL) {
        hp_summary_write_token(out, domain);
        return;
    }
    g_string_append_c(out, HP_SUMMARY_ASCII);
    hp_summary_write_quoted(out, hp_slice_of(ascii));
    g_string_append_c(out, HP_SUMMARY_UTF8);
    hp_summary_write_quoted(out, hp_slice_of(utf8));
    g_string_append_c(out, HP_SUMMARY_ALIKE);
}

/* addr-name SP addr-adl SP addr-mailbox SP addr-host, RFC 3501 §9. An address without a
 * domain has an empty host: NIL would make it a group. */
static void
write_plain(GString *out, const HpSummaryMailbox *mailbox)
{
    g_string_append_c(out, '(');
    write_name(out, mailbox->name);
    g_string_append_c(out, ' ');
    if (mailbox->route.len > 0)
        hp_summary_write_token_field(out, mailbox->route);
    else
        g_string_append(out, "NIL");
    g_string_append_c(out, ' ');
    hp_summary_write_token(out, mailbox->local);
    g_string_append_c(out, ' ');
    write_host(out, mailbox->domain);
    g_string_append_c(out, ')');
}

static void
append_joined(GString *out, HpSlice raw)
{
    g_autofree char *utf8 = hp_summary_decode(raw);

    g_string_append(out, utf8);
}

/* RFC 6857 §3: what cannot be written is shown as the name of an empty
 * group. There are no groups in groups: there it stands as the name of nobody. */
static void
write_removed(GString *out, const HpSummaryMailbox *mailbox)
{
    g_autoptr(GString) address = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *words = NULL;
    g_autofree char *name = NULL;

    append_joined(address, mailbox->local);
    if (mailbox->domain.len > 0)
        g_string_append_c(address, '@');
    append_joined(address, mailbox->domain);
    words = hp_charset_encode_words(address->str, 0);
    if (mailbox->name.len > 0) {
        g_autofree char *decoded = hp_summary_decode(mailbox->name);

        name = hp_charset_encode_words(decoded, 0);
        g_string_append_printf(line, "%s ", name);
    }
    g_string_append_printf(line, "Internationalized Address %s Removed", words);
    g_string_truncate(address, 0);
    hp_header_unfold(hp_slice_of_string(line), address);
    g_string_append(out, mailbox->in_group ? "(" : "(NIL NIL ");
    hp_summary_write_quoted(out, hp_slice_of_string(address));
    g_string_append(out,
                    mailbox->in_group ? " NIL \"\" \"\")" : " NIL)(NIL NIL NIL NIL)");
}

static void
write_mailbox(const HpSummaryMailbox *mailbox, gpointer data)
{
    GString *out = data;
    g_autoptr(GString) plain = NULL;

    if (mailbox->kind == HP_SUMMARY_ADDRESS_GROUP_END) {
        g_string_append(out, "(NIL NIL NIL NIL)");
        return;
    }
    if (mailbox->kind == HP_SUMMARY_ADDRESS_GROUP) {
        g_string_append(out, "(NIL NIL ");
        hp_summary_write_text(out, mailbox->local);
        g_string_append(out, " NIL)");
        return;
    }
    if (hp_text_is_ascii(mailbox->local)) {
        write_plain(out, mailbox);
        return;
    }
    /* The two differ as a whole: choices in choices there are none. */
    plain = g_string_new(NULL);
    write_plain(plain, mailbox);
    g_string_append_c(out, HP_SUMMARY_ASCII);
    write_removed(out, mailbox);
    g_string_append_c(out, HP_SUMMARY_UTF8);
    hp_summary_choose(plain->str, TRUE, TRUE, out);
    g_string_append_c(out, HP_SUMMARY_ALIKE);
}

/* All fields of that name as one list (RFC 7103 §7.5.1); returns FALSE if it is empty. */
static gboolean
write_list(GString *out, const HpSummaryFields *fields, HpSummaryFieldName name)
{
    size_t before = out->len;

    g_string_append_c(out, '(');
    for (guint i = 0; i < fields->n; i++)
        if (fields->rows[i].name == name)
            hp_summary_each_mailbox(fields->rows[i].body, HP_SUMMARY_MAX_ADDRESSES,
                                    write_mailbox, out);
    if (out->len == before + 1) {
        g_string_truncate(out, before);
        return FALSE;
    }
    g_string_append_c(out, ')');
    return TRUE;
}

/* Sender and Reply-To are From where they are not there or empty (RFC 3501 §7.4.2). */
static void
write_addresses(GString *out, const HpSummaryFields *fields, HpSummaryFieldName name)
{
    gboolean defaulted =
        name == HP_SUMMARY_FIELD_SENDER || name == HP_SUMMARY_FIELD_REPLY_TO;

    g_string_append_c(out, ' ');
    if (write_list(out, fields, name) ||
        (defaulted && write_list(out, fields, HP_SUMMARY_FIELD_FROM)))
        return;
    g_string_append(out, "NIL");
}

/* NIL if it is not there, "" if it is empty. */
static void
write_one(GString *out, const HpSummaryFields *fields, HpSummaryFieldName name)
{
    HpSlice body;

    if (!hp_summary_field(fields, name, &body))
        g_string_append(out, "NIL");
    else if (name == HP_SUMMARY_FIELD_SUBJECT)
        hp_summary_write_text_field(out, body);
    else
        hp_summary_write_token_field(out, body);
}

/* env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc
 * SP env-bcc SP env-in-reply-to SP env-message-id */
void
hp_summary_write_envelope(GString *out, const HpSummaryFields *fields)
{
    g_string_append_c(out, '(');
    write_one(out, fields, HP_SUMMARY_FIELD_DATE);
    g_string_append_c(out, ' ');
    write_one(out, fields, HP_SUMMARY_FIELD_SUBJECT);
    for (int name = HP_SUMMARY_FIELD_FROM; name <= HP_SUMMARY_FIELD_BCC; name++)
        write_addresses(out, fields, (HpSummaryFieldName)name);
    g_string_append_c(out, ' ');
    write_one(out, fields, HP_SUMMARY_FIELD_IN_REPLY_TO);
    g_string_append_c(out, ' ');
    write_one(out, fields, HP_SUMMARY_FIELD_MESSAGE_ID);
    g_string_append_c(out, ')');
}
