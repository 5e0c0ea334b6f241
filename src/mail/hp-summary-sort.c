#include "hp-charset.h"
#include "hp-date.h"
#include "hp-summary-private.h"
#include "hp-text.h"

#include <string.h>

#define LONGEST_DISPLAY 200 /* characters of a display name */
#define LONGEST_DATE    100 /* octets of a date without a time that can be read */
#define LONGEST_SUBJECT 998 /* characters; RFC 5322 §2.1.1 */

/* ---- base subject ----------------------------------------------------------------- */

static gboolean
is_wsp(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

/* BLOBCHAR: any but brackets */
static gboolean
is_blob_char(unsigned char byte)
{
    return byte != '[' && byte != ']';
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP */
static gboolean
take_blob(HpCursor *cursor)
{
    HpCursor c = *cursor;

    if (!hp_cursor_skip(&c, '['))
        return FALSE;
    hp_cursor_take(&c, is_blob_char);
    if (!hp_cursor_skip(&c, ']'))
        return FALSE;
    hp_cursor_take(&c, is_wsp);
    *cursor = c;
    return TRUE;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static gboolean
take_refwd(HpCursor *cursor)
{
    HpCursor c = *cursor;

    if (!hp_cursor_skip_word(&c, "re") && !hp_cursor_skip_word(&c, "fwd") &&
        !hp_cursor_skip_word(&c, "fw"))
        return FALSE;
    hp_cursor_take(&c, is_wsp);
    take_blob(&c);
    if (!hp_cursor_skip(&c, ':'))
        return FALSE;
    *cursor = c;
    return TRUE;
}

/* subj-leader = (*subj-blob subj-refwd) / WSP */
static gboolean
take_leader(HpCursor *cursor, gboolean *reply)
{
    HpCursor c = *cursor;

    if (hp_cursor_take(&c, is_wsp).len > 0) {
        *cursor = c;
        return TRUE;
    }
    while (take_blob(&c)) {
    }
    if (!take_refwd(&c))
        return FALSE;
    *reply = TRUE;
    *cursor = c;
    return TRUE;
}

/* (2): *subj-trailer; subj-trailer = "(fwd)" / WSP */
static void
drop_trailers(HpCursor *c, gboolean *reply)
{
    while (c->end > c->at) {
        if (is_wsp((unsigned char)c->end[-1])) {
            c->end--;
        } else if (c->end - c->at >= 5 &&
                   g_ascii_strncasecmp(c->end - 5, "(fwd)", 5) == 0) {
            c->end -= 5;
            *reply = TRUE;
        } else {
            return;
        }
    }
}

/* (3) to (5) */
static void
drop_leaders(HpCursor *c, gboolean *reply)
{
    while (TRUE) {
        HpCursor behind;

        if (take_leader(c, reply))
            continue;
        behind = *c;
        if (!take_blob(&behind) || hp_cursor_at_end(&behind))
            return;
        *c = behind;
    }
}

/* (6): "[fwd:" subject "]" */
static gboolean
drop_forward(HpCursor *c, gboolean *reply)
{
    HpCursor inside = *c;

    if (!hp_cursor_skip_word(&inside, "[fwd:") || inside.end == inside.at ||
        inside.end[-1] != ']')
        return FALSE;
    inside.end--;
    *c = inside;
    *reply = TRUE;
    return TRUE;
}

/* (1): decoded, white space as one space each */
static char *
plain_subject(HpSlice subject)
{
    g_autoptr(GString) unfolded = g_string_sized_new(128);
    g_autofree char *decoded = NULL;

    subject.len = MIN(subject.len, HP_SUMMARY_MAX_TEXT);
    hp_header_unfold(subject, unfolded);
    decoded = hp_summary_decode(hp_slice_of_string(unfolded));
    return hp_text_printable(hp_slice_of(decoded), LONGEST_SUBJECT);
}

char *
hp_summary_find_base_subject(HpSlice subject, gboolean *ret_reply)
{
    g_autofree char *text = plain_subject(subject);
    HpCursor c = hp_cursor_over(hp_slice_of(text));
    gboolean reply = FALSE;

    do {
        drop_trailers(&c, &reply);
        drop_leaders(&c, &reply);
    } while (drop_forward(&c, &reply));
    *ret_reply = reply;
    return hp_slice_dup(hp_cursor_rest(&c));
}

/* ---- addresses -------------------------------------------------------------------- */

typedef struct {
    gboolean display;
    char *found; /* (owned) (nullable) */
} Wanted;

static char *
to_utf8(HpSlice raw)
{
    g_autofree char *decoded = hp_summary_decode(raw);

    return hp_text_printable(hp_slice_of(decoded), LONGEST_DISPLAY);
}

static void
keep_first(const HpSummaryMailbox *mailbox, gpointer data)
{
    Wanted *wanted = data;
    g_autofree char *local = NULL;
    g_autofree char *domain = NULL;

    if (wanted->found != NULL)
        return;
    local = to_utf8(mailbox->local);
    if (wanted->display && mailbox->name.len > 0) {
        g_autofree char *name = to_utf8(mailbox->name);

        if (*name != '\0')
            wanted->found = g_steal_pointer(&name);
    }
    if (wanted->found != NULL)
        return;
    /* A group has no host; else "addr-mailbox@addr-host" (RFC 5957 §3). */
    domain = to_utf8(mailbox->domain);
    if (wanted->display && mailbox->domain.len > 0)
        wanted->found = g_strconcat(local, "@", domain, NULL);
    else
        wanted->found = g_steal_pointer(&local);
}

static char *
find_first(const HpSummaryFields *fields, HpSummaryFieldName name, gboolean display)
{
    Wanted wanted = { display, NULL };

    for (guint i = 0; i < fields->n && wanted.found == NULL; i++)
        if (fields->rows[i].name == name)
            hp_summary_each_mailbox(fields->rows[i].body, 1, keep_first, &wanted);
    return wanted.found != NULL ? wanted.found : g_strdup("");
}

char *
hp_summary_find_mailbox(const HpSummaryFields *fields, HpSummaryFieldName name)
{
    return find_first(fields, name, FALSE);
}

char *
hp_summary_find_display(const HpSummaryFields *fields, HpSummaryFieldName name)
{
    return find_first(fields, name, TRUE);
}

/* ---- date ------------------------------------------------------------------------- */

/* RFC 5256 §2.2: where the time cannot be read, it is 00:00:00. What stands before the
 * word with a colon is the day. */
static gboolean
parse_day(HpSlice body, gint64 *ret_sec)
{
    g_autoptr(GString) text = g_string_sized_new(64);
    const char *colon;

    body.len = MIN(body.len, LONGEST_DATE);
    hp_header_unfold(body, text);
    colon = strchr(text->str, ':');
    while (colon != NULL && colon > text->str && *colon != ' ')
        colon--;
    if (colon != NULL)
        g_string_truncate(text, (gsize)(colon - text->str));
    g_string_append(text, " 00:00:00 +0000");
    return hp_date_parse(hp_slice_of_string(text), ret_sec, NULL);
}

gboolean
hp_summary_find_date(const HpSummaryFields *fields, gint64 *ret_sec, gint64 *ret_day)
{
    HpSlice body;
    gint64 sec, local;
    gint offset_min = 0;

    if (!hp_summary_field(fields, HP_SUMMARY_FIELD_DATE, &body) ||
        (!hp_date_parse(body, &sec, &offset_min) && !parse_day(body, &sec)))
        return FALSE;
    local = sec + (gint64)offset_min * 60;
    *ret_sec = sec;
    *ret_day = local >= 0 ? local / 86400 : -((86399 - local) / 86400);
    return TRUE;
}
