#include "hp-summary-private.h"

#include <string.h>

/* How often the end of a comment or of a quoted string is looked for in vain, before
 * their marks count as text: else "((((" of 64 KiB takes quadratic time. */
#define MOST_OPEN 8

/* Text that is being collected, and where an addr-spec in it would be. */
typedef struct {
    GString *text; /* (owned by the reader) */
    size_t run;    /* where the piece began that has no space in it */
    size_t start;  /* of the addr-spec */
    size_t at;     /* of its "@"; 0 if there is none, for no local part is empty */
} Piece;

typedef struct {
    HpCursor c;
    HpSummaryEachMailbox each;
    gpointer data; /* (unowned) */
    guint left;
    Piece phrase;
    Piece spec;       /* between "<" and ">" */
    GString *comment; /* (unowned): the last comment, a name in the old form */
    HpSlice route;
    gboolean in_angle_form;
    gboolean in_group;
    gboolean gap; /* white space stands in front of what comes */
    guint open;
} Reader;

static gboolean
is_space(unsigned char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\0';
}

/* A stray ")" is a part of a name (RFC 7103 §7.1.4). */
static gboolean
is_word(unsigned char byte)
{
    return !is_space(byte) && strchr("(<>\",;:", byte) == NULL;
}

static gboolean
is_spec(unsigned char byte)
{
    return !is_space(byte) && strchr("(<>\",", byte) == NULL;
}

static void
clear_piece(Piece *self)
{
    g_string_truncate(self->text, 0);
    self->run = self->start = self->at = 0;
}

/* Space between two words is one space; around "@" there is none (obs-local-part). */
static void
begin_word(Piece *self, gboolean gap, int next)
{
    size_t len = self->text->len;

    if (!gap || len == 0 || next == '@' || self->text->str[len - 1] == '@')
        return;
    g_string_append_c(self->text, ' ');
    self->run = len + 1;
}

static void
add_word(Piece *self, HpSlice word)
{
    const char *at = word.len > 0 ? memrchr(word.data, '@', word.len) : NULL;

    if (at != NULL && self->text->len + (size_t)(at - word.data) > 0) {
        self->start = self->run;
        self->at = self->text->len + (size_t)(at - word.data);
    }
    g_string_append_len(self->text, word.len > 0 ? word.data : "", (gssize)word.len);
}

/* Whether the comment or string that begins at @from has an end. */
static const char *
find_end(const char *from, const char *end, gboolean comment)
{
    guint depth = 0;

    for (const char *p = from + 1; p < end; p++) {
        if (*p == '\\')
            p++;
        else if (comment && *p == '(')
            depth++;
        else if (*p == (comment ? ')' : '"') && depth-- == 0)
            return p;
    }
    return NULL;
}

/* Appends without the marks of quoting and of folding. */
static void
append_unquoted(GString *out, const char *from, const char *end)
{
    for (; from < end; from++) {
        if (*from == '\\' && from + 1 < end)
            from++;
        if (*from != '\r' && *from != '\n' && *from != '\0')
            g_string_append_c(out, *from);
    }
}

/* A quoted string into @piece, a comment into the reader's. Without an end the mark is
 * skipped and what follows is read as if it were not there (RFC 7103 §7.1.4, §7.1.6). */
static void
take_enclosed(Reader *self, Piece *piece)
{
    gboolean comment = *self->c.at == '(';
    const char *end = NULL;

    if (self->open < MOST_OPEN)
        end = find_end(self->c.at, self->c.end, comment);
    if (end == NULL) {
        self->open++;
        self->c.at++;
        return;
    }
    if (comment) {
        g_string_truncate(self->comment, 0);
        append_unquoted(self->comment, self->c.at + 1, end);
        self->gap = TRUE;
    } else {
        begin_word(piece, self->gap, '"');
        append_unquoted(piece->text, self->c.at + 1, end);
        self->gap = FALSE;
    }
    self->c.at = end + 1;
}

static HpSlice
part_of(const GString *text, size_t from, size_t to)
{
    return hp_slice_trim((HpSlice){ text->str + from, to - from });
}

static void
give(Reader *self, HpSummaryMailbox mailbox)
{
    if (self->left == 0)
        return;
    self->left--;
    mailbox.in_group = self->in_group;
    self->each(&mailbox, self->data);
}

/* local-part "@" domain at its place in @piece, up to the next space */
static void
split_spec(const Piece *piece, HpSummaryMailbox *mailbox)
{
    const char *text = piece->text->str;
    size_t end = piece->at + 1;

    while (end < piece->text->len && text[end] != ' ')
        end++;
    mailbox->local = part_of(piece->text, piece->start, piece->at);
    mailbox->domain = part_of(piece->text, piece->at + 1, end);
}

/* Without "<": an addr-spec, perhaps with words around it, or words alone. */
static void
read_bare(const Reader *self, HpSummaryMailbox *mailbox)
{
    const Piece *phrase = &self->phrase;
    HpSlice all = part_of(phrase->text, 0, phrase->text->len);

    mailbox->name = hp_slice_trim(hp_slice_of_string(self->comment));
    if (phrase->at > 0) {
        split_spec(phrase, mailbox);
        /* "Joe joe@example.org" */
        if (mailbox->name.len == 0)
            mailbox->name = part_of(phrase->text, 0, phrase->start);
    } else if (mailbox->name.len == 0 && memchr(all.data, ' ', all.len) != NULL) {
        mailbox->name = all; /* a name alone: RFC 7103 §7.1.7 */
    } else {
        mailbox->local = all;
    }
}

static void
end_mailbox(Reader *self)
{
    HpSummaryMailbox mailbox = { .kind = HP_SUMMARY_ADDRESS_MAILBOX };

    if (self->in_angle_form) {
        mailbox.name = part_of(self->phrase.text, 0, self->phrase.text->len);
        if (mailbox.name.len == 0)
            mailbox.name = hp_slice_trim(hp_slice_of_string(self->comment));
        mailbox.route = self->route;
        if (self->spec.at > 0)
            split_spec(&self->spec, &mailbox);
        else
            mailbox.local = part_of(self->spec.text, 0, self->spec.text->len);
        give(self, mailbox);
    } else if (self->phrase.text->len > 0 || self->comment->len > 0) {
        read_bare(self, &mailbox);
        give(self, mailbox);
    }
    clear_piece(&self->phrase);
    clear_piece(&self->spec);
    g_string_truncate(self->comment, 0);
    self->route = (HpSlice){ NULL, 0 };
    self->in_angle_form = self->gap = FALSE;
}

static void
begin_group(Reader *self)
{
    HpSummaryMailbox group = { .kind = HP_SUMMARY_ADDRESS_GROUP };

    group.local = part_of(self->phrase.text, 0, self->phrase.text->len);
    give(self, group);
    g_string_truncate(self->comment, 0);
    clear_piece(&self->phrase);
    self->in_group = TRUE;
}

static void
end_group(Reader *self)
{
    HpSummaryMailbox end = { .kind = HP_SUMMARY_ADDRESS_GROUP_END };

    /* A group that was begun is ended even if the limit is met in it. */
    self->left = MAX(self->left, 1);
    self->in_group = FALSE;
    give(self, end);
}

/* obs-route = obs-domain-list ":" */
static void
take_route(Reader *self)
{
    HpCursor c = self->c;
    const char *start = c.at;

    while (!hp_cursor_at_end(&c) && *c.at != '>' && *c.at != ':')
        c.at++;
    if (hp_cursor_peek(&c) != ':')
        return;
    self->route = hp_slice_trim((HpSlice){ start, (size_t)(c.at - start) });
    hp_cursor_skip(&c, ':');
    self->c = c;
}

/* "<" ... ">"; without ">" it ends at a comma or with the field (RFC 7103 §7.1.3,
 * §7.1.5), and there may be more of both (§7.1.2). */
static void
take_angle(Reader *self)
{
    while (hp_cursor_skip(&self->c, '<'))
        hp_cursor_take(&self->c, is_space);
    if (self->in_angle_form && self->spec.text->len > 0)
        clear_piece(&self->spec);
    self->in_angle_form = TRUE;
    if (hp_cursor_peek(&self->c) == '@')
        take_route(self);
    while (!hp_cursor_at_end(&self->c) && *self->c.at != '>' && *self->c.at != ',') {
        hp_cursor_take(&self->c, is_space);
        self->gap = FALSE; /* white space in an addr-spec means nothing */
        if (hp_cursor_peek(&self->c) == '"' || hp_cursor_peek(&self->c) == '(')
            take_enclosed(self, &self->spec);
        else if (!hp_cursor_skip(&self->c, '<'))
            add_word(&self->spec, hp_cursor_take(&self->c, is_spec));
    }
    while (hp_cursor_skip(&self->c, '>'))
        hp_cursor_take(&self->c, is_space);
    self->gap = TRUE;
}

static void
take_words(Reader *self)
{
    HpSlice word = hp_cursor_take(&self->c, is_word);

    /* A colon where no group can begin is text. */
    if (word.len == 0)
        word = (HpSlice){ self->c.at++, 1 };
    begin_word(&self->phrase, self->gap, word.data[0]);
    add_word(&self->phrase, word);
    self->gap = FALSE;
}

static void
step(Reader *self)
{
    if (hp_cursor_take(&self->c, is_space).len > 0)
        self->gap = TRUE;
    switch (hp_cursor_peek(&self->c)) {
    case -1:
        break;
    case '(':
    case '"':
        take_enclosed(self, &self->phrase);
        break;
    case '<':
        take_angle(self);
        break;
    case '>':
        self->c.at++;
        break;
    case ',':
        self->c.at++;
        end_mailbox(self);
        break;
    case ';':
        self->c.at++;
        end_mailbox(self);
        if (self->in_group)
            end_group(self);
        break;
    case ':':
        if (!self->in_group && !self->in_angle_form && self->phrase.text->len > 0) {
            self->c.at++;
            begin_group(self);
            break;
        }
        take_words(self);
        break;
    default:
        take_words(self);
        break;
    }
}

void
hp_summary_each_mailbox(HpSlice body, guint max, HpSummaryEachMailbox each, gpointer data)
{
    g_autoptr(GString) phrase = g_string_sized_new(64);
    g_autoptr(GString) spec = g_string_sized_new(64);
    g_autoptr(GString) comment = g_string_sized_new(32);
    Reader reader = {
        .c = hp_cursor_over(body),
        .each = each,
        .data = data,
        .left = max,
        .phrase = { phrase, 0, 0, 0 },
        .spec = { spec, 0, 0, 0 },
        .comment = comment,
    };

    while (!hp_cursor_at_end(&reader.c) && reader.left > 0)
        step(&reader);
    end_mailbox(&reader);
    if (reader.in_group)
        end_group(&reader);
}
