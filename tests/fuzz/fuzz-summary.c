/* Whatever a message is: what is said of it can be read back by IMAP's grammar, a kept
 * summary says the same as the new one, and its parts lie in the message. What is no kept
 * summary is refused. */
#include "../imap-grammar.h"
#include "hp-summary-private.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GString *
say(const HpSummary *summary, guint form)
{
    GString *out = g_string_new(NULL);

    if (form < 2)
        hp_summary_append_envelope(summary, form == 1, out);
    else
        hp_summary_append_structure(summary, form >= 4, form % 2 == 1, out);
    return out;
}

static void
check_forms(const HpSummary *summary, const HpSummary *kept)
{
    for (guint form = 0; form < 6; form++) {
        g_autoptr(GString) said = say(summary, form);
        g_autoptr(GString) again = say(kept, form);
        HpSlice text = hp_slice_of_string(said);

        g_assert_true(g_string_equal(said, again));
        g_assert_cmpuint(strlen(said->str), ==, said->len);
        if (form < 2)
            g_assert_true(imap_is_envelope(text, form == 1));
        else
            g_assert_true(imap_is_structure(text, form >= 4, form % 2 == 1));
    }
}

static void
check_part(const HpSummaryPart *part, size_t size)
{
    g_assert_cmpuint(part->mime_start, <=, part->body_start);
    g_assert_cmpuint(part->body_start, <=, part->body_end);
    g_assert_cmpuint(part->body_end, <=, size);
    if (!part->is_message)
        return;
    g_assert_cmpuint(part->body_start, <=, part->inner_start);
    g_assert_cmpuint(part->inner_start, <=, part->inner_text_start);
    g_assert_cmpuint(part->inner_text_start, <=, part->body_end);
}

static void
check_parts(const HpSummary *summary, size_t size)
{
    HpSummaryPart part;
    const char *charset;
    guint path[3];

    g_assert_cmpuint(hp_summary_header_len(summary), <=, size);
    for (path[0] = 0; path[0] < 4; path[0]++)
        for (path[1] = 0; path[1] < 4; path[1]++)
            for (path[2] = 0; path[2] < 4; path[2]++)
                for (guint depth = 1; depth <= 3; depth++)
                    if (hp_summary_find_part(summary, path, depth, &part))
                        check_part(&part, size);
    for (guint i = 0; hp_summary_nth_part(summary, i, &part, &charset); i++)
        check_part(&part, size);
}

static void
check_texts(const HpSummary *summary)
{
    const char *const texts[] = {
        hp_summary_base_subject(summary),
        hp_summary_message_id(summary),
        hp_summary_references(summary),
        hp_summary_preview(summary),
        hp_summary_mailbox(summary, HP_SUMMARY_FROM),
        hp_summary_display(summary, HP_SUMMARY_TO),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_true(g_utf8_validate(texts[i], -1, NULL));
    g_assert_cmpint(g_utf8_strlen(hp_summary_preview(summary), -1), <=,
                    HP_SUMMARY_MAX_PREVIEW);
}

/* A row that is damaged and yet has the right check sum: what it says may be wrong, but
 * saying it must not go wrong. */
static void
read_damaged(HpSlice kept)
{
    g_autoptr(GString) row = g_string_new_len("\1\0\0\0\0\0\0\0\0", 9);
    g_autoptr(HpSummary) summary = NULL;
    const guint path[] = { 1, 1, 1 };
    HpSummaryPart part;
    const char *charset;

    g_string_append_len(row, kept.data, (gssize)kept.len);
    hp_summary_seal(row);
    summary = hp_summary_unpack(hp_slice_of_string(row));
    if (summary == NULL)
        return;
    for (guint form = 0; form < 6; form++)
        g_string_free(say(summary, form), TRUE);
    for (guint depth = 1; depth <= 3; depth++)
        hp_summary_find_part(summary, path, depth, &part);
    for (guint i = 0; hp_summary_nth_part(summary, i, &part, &charset); i++)
        continue;
}

/* The kept form of a message, with some bytes of the message written over it. */
static void
damage(HpSlice packed, HpSlice bytes)
{
    g_autoptr(GString) row = g_string_new_len(packed.data, (gssize)packed.len);

    for (size_t i = 0; i + 2 < MIN(bytes.len, 12); i += 3) {
        guint16 at;

        memcpy(&at, bytes.data + i, sizeof at);
        row->str[9 + at % (row->len - 9)] = bytes.data[i + 2];
    }
    read_damaged((HpSlice){ row->str + 9, row->len - 9 });
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpSlice bytes = { (const char *)data, size };
    g_autoptr(HpSummary) summary = hp_summary_new(bytes);
    g_autoptr(GBytes) packed = hp_summary_pack(summary);
    g_autoptr(HpSummary) kept = hp_summary_unpack(hp_slice_of_bytes(packed));

    /* What is no kept summary. */
    hp_summary_free(hp_summary_unpack(bytes));
    if (size > 0) {
        read_damaged(bytes);
        damage(hp_slice_of_bytes(packed), bytes);
    }
    g_assert_nonnull(kept);
    check_forms(summary, kept);
    check_parts(summary, size);
    check_texts(summary);
    return 0;
}
