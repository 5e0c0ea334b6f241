/* A SEARCH program, and after an empty line the message that it is asked about: whatever
 * they are, each round keeps what the round before has settled, and the last one settles
 * all. */
#include "hp-imap-search-match.h"
#include "hp-imap-sort-order.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static gssize
read_content(gpointer content, guint64 offset, char *buffer, size_t size, GError **error)
{
    const HpSlice *message = content;
    size_t n = offset < message->len ? MIN(size, message->len - (size_t)offset) : 0;

    if (n > 0)
        memcpy(buffer, message->data + offset, n);
    return (gssize)n;
}

static gboolean
nth_part(gpointer data, guint index, HpSummaryPart *ret_part, const char **ret_charset)
{
    return hp_summary_nth_part(data, index, ret_part, ret_charset);
}

static gboolean
go_on(gpointer data)
{
    return TRUE;
}

static void
match(const HpSearchProgram *program, HpSlice message)
{
    g_autoptr(HpSummary) summary = hp_summary_new(message);
    g_autofree guint8 *values = g_malloc(program->keys->len);
    HpSearchMatch self = { program, values };
    HpSearchEntry entry = { .seq = 1, .entry = { .uid = 1 }, .keywords = "a b" };
    HpStoreDetails details = { 0, 1, 2 };
    HpSearchHeader header = { { message.data, (size_t)hp_summary_header_len(summary) },
                              FALSE,
                              0 };
    HpSearchContent content = { read_content, &message, nth_part, summary, go_on, NULL };
    HpSearchVerdict verdict = hp_search_match_entry(&self, &entry), next;

    next = hp_search_match_details(&self, &details);
    g_assert_true(verdict == HP_SEARCH_UNKNOWN || verdict == next);
    verdict = next;
    next = hp_search_match_header(&self, &header);
    g_assert_true(verdict == HP_SEARCH_UNKNOWN || verdict == next);
    verdict = next;
    next = hp_search_match_content(&self, &content);
    g_assert_true(verdict == HP_SEARCH_UNKNOWN || verdict == next);
    g_assert_true(next != HP_SEARCH_UNKNOWN);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    HpSlice all = { (const char *)data, size };
    const char *end = size > 0 ? memmem(data, size, "\n\n", 2) : NULL;
    HpSlice text = { all.data, end != NULL ? (size_t)(end - all.data) : size };
    HpSlice message = { NULL, 0 };
    HpImapArgs args = hp_imap_args(text);
    const HpSearchScope scope = { .last_seq = 10, .last_uid = 100 };
    g_autoptr(HpSearchProgram) program = NULL;
    HpSortCriteria criteria;
    gboolean bad_charset;

    if (end != NULL)
        message = (HpSlice){ end + 2, size - text.len - 2 };
    if (hp_imap_peek(&args) == '(' && hp_sort_take_criteria(&args, &criteria))
        g_assert_cmpuint(criteria.n, <=, HP_SORT_N_KEYS);
    args = hp_imap_args(text);
    program = hp_search_program_parse(&args, NULL, &scope, &bad_charset);
    g_assert_true(program != NULL || bad_charset || args.wanted != NULL);
    if (program != NULL)
        match(program, message);
    return 0;
}
