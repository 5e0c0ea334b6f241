/* The pieces of a FETCH response (RFC 9051 §7.5.2). */
#include "hp-imap-fetch-private.h"

GString *
hp_imap_fetch_item(HpImapFetching *self, const char *name)
{
    /* If nothing is there, then what came before has been sent. */
    if (self->out->len == 0 || self->out->str[self->out->len - 1] != '(')
        g_string_append_c(self->out, ' ');
    g_string_append(self->out, name);
    g_string_append_c(self->out, ' ');
    return self->out;
}

/* One more read of the database for each message: rarely asked for. */
static void
add_details(HpImapFetching *self, const HpViewEntry *entry)
{
    HpImapSession *s = self->s;
    guint items = self->fetch->items;
    HpStoreDetails details = { 0 };
    gboolean known = hp_store_details(s->options->store, hp_view_mailbox(s->view),
                                      entry->uid, &details, NULL);

    if ((items & HP_FETCH_EMAILID) != 0)
        g_string_append_printf(hp_imap_fetch_item(self, "EMAILID"),
                               "(M%" G_GINT64_FORMAT ")",
                               known ? details.email : entry->content);
    if ((items & HP_FETCH_THREADID) != 0) {
        hp_imap_fetch_item(self, "THREADID");
        if (known)
            g_string_append_printf(self->out, "(T%" G_GINT64_FORMAT ")", details.thread);
        else
            g_string_append(self->out, "NIL");
    }
    if ((items & HP_FETCH_SAVEDATE) == 0)
        return;
    hp_imap_fetch_item(self, "SAVEDATE");
    if (known)
        hp_imap_out_date_time(self->out, details.saved_usec, 0);
    else
        g_string_append(self->out, "NIL");
}

/* Flags that this command has changed itself are told with the rest (RFC 3501 §6.4.5). */
static guint
items_for(const HpImapFetching *self, const HpViewEntry *entry)
{
    const HpImapSession *s = self->s;
    guint items = self->fetch->items;

    if (self->own.modseq != 0 && entry->modseq == self->own.modseq)
        items |= HP_FETCH_FLAGS | (s->condstore ? HP_FETCH_MODSEQ : 0);
    /* RFC 7162 §3.2.4: whoever has enabled it gets uid and modseq with the flags. */
    if ((items & HP_FETCH_FLAGS) != 0 && s->qresync)
        items |= HP_FETCH_MODSEQ | (s->uidonly ? 0 : HP_FETCH_UID);
    return items;
}

void
hp_imap_fetch_begin(HpImapFetching *self, const HpImapFetched *message)
{
    const HpViewEntry *entry = &message->entry;
    guint items = items_for(self, entry);

    if ((items & HP_FETCH_FLAGS) != 0)
        hp_imap_know_keywords(self->s, entry->keywords);
    hp_imap_begin_fetch(self->s, message->seq, entry->uid, self->out);
    if ((items & HP_FETCH_UID) != 0)
        hp_imap_out_number(hp_imap_fetch_item(self, "UID"), entry->uid);
    if ((items & HP_FETCH_FLAGS) != 0)
        hp_imap_out_flags(hp_imap_fetch_item(self, "FLAGS"), entry->flags,
                          hp_view_keywords(self->s->view, entry->keywords));
    if ((items & HP_FETCH_MODSEQ) != 0) {
        g_string_append_c(hp_imap_fetch_item(self, "MODSEQ"), '(');
        hp_imap_out_number(self->out, entry->modseq);
        g_string_append_c(self->out, ')');
    }
    if ((items & HP_FETCH_INTERNALDATE) != 0)
        hp_imap_out_date_time(hp_imap_fetch_item(self, "INTERNALDATE"),
                              entry->internal_usec, entry->zone);
    if ((items & HP_FETCH_SIZE) != 0)
        hp_imap_out_number(hp_imap_fetch_item(self, "RFC822.SIZE"), entry->size);
    if ((items & (HP_FETCH_EMAILID | HP_FETCH_THREADID | HP_FETCH_SAVEDATE)) != 0)
        add_details(self, entry);
}

void
hp_imap_fetch_summary(HpImapFetching *self, const HpSummary *summary)
{
    guint items = self->fetch->items;
    gboolean utf8 = self->s->utf8;

    if (summary == NULL)
        return;
    if ((items & HP_FETCH_ENVELOPE) != 0)
        hp_summary_append_envelope(summary, utf8, hp_imap_fetch_item(self, "ENVELOPE"));
    if ((items & HP_FETCH_BODYSTRUCTURE) != 0)
        hp_summary_append_structure(summary, TRUE, utf8,
                                    hp_imap_fetch_item(self, "BODYSTRUCTURE"));
    if ((items & HP_FETCH_BODY) != 0)
        hp_summary_append_structure(summary, FALSE, utf8,
                                    hp_imap_fetch_item(self, "BODY"));
    if ((items & HP_FETCH_PREVIEW) != 0)
        hp_imap_out_nstring(hp_imap_fetch_item(self, "PREVIEW"),
                            hp_summary_preview(summary), utf8);
}

void
hp_imap_fetch_announce(HpImapFetching *self, const HpImapSection *section, guint64 octets)
{
    g_string_append_printf(hp_imap_fetch_item(self, section->label),
                           "{%" G_GUINT64_FORMAT "}\r\n", octets);
}

void
hp_imap_fetch_headers(HpImapFetching *self, HpSlice header)
{
    const GArray *sections = self->fetch->sections;

    for (guint i = 0; sections != NULL && i < sections->len; i++) {
        const HpImapSection *section = &g_array_index(sections, HpImapSection, i);
        g_autoptr(GString) fields = NULL;
        HpSlice bytes = header;
        guint64 offset = 0;
        guint64 octets;

        if (section->kind != HP_SECTION_HEADER) {
            fields = g_string_new(NULL);
            hp_imap_section_fields(section, header, fields);
            bytes = hp_slice_of_string(fields);
        }
        octets = bytes.len;
        hp_imap_section_cut(section, &offset, &octets);
        hp_imap_fetch_announce(self, section, octets);
        if (octets > 0)
            g_string_append_len(self->out, bytes.data + offset, (gssize)octets);
    }
}

void
hp_imap_fetch_send(HpImapFetching *self)
{
    if (self->out->len > 0 && self->s->state != HP_IMAP_ENDED)
        hp_imap_write(self->s, hp_slice_of_string(self->out));
    g_string_truncate(self->out, 0);
}
