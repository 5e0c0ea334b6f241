/* The last round of hp-imap-search-match: the content, read part by part. */
#include "hp-casemap.h"
#include "hp-header.h"
#include "hp-imap-search-match.h"
#include "hp-text-stream.h"

#define PIECE ((size_t)64 * 1024) /* octets that are read at once */

typedef struct {
    const HpSearchMatch *match;     /* (unowned) */
    const HpSearchContent *content; /* (unowned) */
    HpCasemapFinder **finders;      /* (owned): by key; %NULL where it is not open */
    char *piece;                    /* (owned) */
    GString *text;                  /* (owned) */
    GString *prepared;              /* (owned) */
    gboolean stopped;               /* go_on said no */
} Reading;

static void
reading_clear(Reading *self)
{
    for (guint i = 0; i < self->match->program->keys->len; i++)
        hp_casemap_finder_free(self->finders[i]);
    g_free(self->finders);
    g_free(self->piece);
    g_string_free(self->text, TRUE);
    g_string_free(self->prepared, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static gboolean
looks_at_content(const HpSearchKey *key)
{
    return key->kind == HP_SEARCH_BODY || key->kind == HP_SEARCH_TEXT;
}

static void
reading_init(Reading *self)
{
    const HpSearchProgram *program = self->match->program;

    self->finders = g_new0(HpCasemapFinder *, program->keys->len);
    for (guint i = 0; i < program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(program, i);

        if (looks_at_content(key) && hp_search_is_open(self->match, i))
            self->finders[i] = hp_casemap_finder_new(hp_slice_of(key->needle));
    }
    self->piece = g_malloc(PIECE);
    self->text = g_string_sized_new(2 * PIECE);
    self->prepared = g_string_sized_new(2 * PIECE);
}

static gboolean
is_settled(const Reading *self)
{
    return self->stopped || (self->match->values[0] & 3) != HP_SEARCH_UNKNOWN;
}

/* Returns what was read from @from: a piece, or less before @to, at the end, or if it
 * cannot be read. */
static size_t
read_piece(Reading *self, guint64 from, guint64 to)
{
    size_t wanted = (size_t)MIN(to > from ? to - from : 0, PIECE), done = 0;

    if (wanted > 0 && !self->content->go_on(self->content->go_on_data)) {
        self->stopped = TRUE;
        return 0;
    }
    while (done < wanted) {
        gssize n = self->content->read(self->content->content, from + done,
                                       self->piece + done, wanted - done, NULL);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

/* One piece of a header is all of it that is looked at: 64 KiB. */
static void
search_header(Reading *self, guint64 from, guint64 to, guint places)
{
    size_t n = read_piece(self, from, to);

    hp_search_fields(self->match, (HpSlice){ self->piece, n }, places);
    hp_search_settle(self->match);
}

static void
find_in_piece(Reading *self)
{
    g_string_truncate(self->prepared, 0);
    hp_casemap_append(self->prepared, hp_slice_of_string(self->text));
    for (guint i = 0; i < self->match->program->keys->len; i++)
        if (self->finders[i] != NULL && hp_search_is_open(self->match, i) &&
            hp_casemap_finder_feed(self->finders[i], hp_slice_of_string(self->prepared)))
            hp_search_set(self->match, i, TRUE);
    hp_search_settle(self->match);
}

static void
search_text(Reading *self, const HpSummaryPart *part, const char *charset)
{
    g_autoptr(HpTextStream) stream =
        hp_text_stream_new((HpMimeEncoding)part->encoding, charset);
    guint64 at = part->body_start;

    for (guint i = 0; i < self->match->program->keys->len; i++)
        if (self->finders[i] != NULL)
            hp_casemap_finder_restart(self->finders[i]);
    while (!is_settled(self)) {
        size_t n = read_piece(self, at, part->body_end);

        if (self->stopped)
            return;
        g_string_truncate(self->text, 0);
        hp_text_stream_feed(stream, (HpSlice){ self->piece, n }, n == 0, self->text);
        find_in_piece(self);
        at += n;
        if (n == 0)
            return;
    }
}

static void
search_part(Reading *self, const HpSummaryPart *part, const char *charset)
{
    /* The header of the message itself was looked at in the round before. */
    if (part->mime_start > 0 && part->mime_start < part->body_start &&
        hp_search_match_needs_kind(self->match, HP_SEARCH_TEXT))
        search_header(self, part->mime_start, part->body_start, HP_SEARCH_IN_TEXT);
    if (part->is_message && !is_settled(self))
        search_header(self, part->inner_start, part->inner_text_start,
                      HP_SEARCH_IN_TEXT | HP_SEARCH_IN_BODY);
    if (charset != NULL && !is_settled(self))
        search_text(self, part, charset);
}

HpSearchVerdict
hp_search_match_content(const HpSearchMatch *self, const HpSearchContent *content)
{
    g_auto(Reading) reading = { .match = self, .content = content };
    const char *charset = NULL;
    HpSummaryPart part;

    reading_init(&reading);
    for (guint i = 0;
         !is_settled(&reading) && content->nth_part(content->parts, i, &part, &charset);
         i++)
        search_part(&reading, &part, charset);
    for (guint i = 0; !reading.stopped && i < self->program->keys->len; i++)
        if (looks_at_content(hp_search_program_key(self->program, i)) &&
            hp_search_is_open(self, i))
            hp_search_set(self, i, FALSE);
    return hp_search_settle(self);
}
