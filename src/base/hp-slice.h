/* hp-slice: bounded views of bytes, and the cursor every parser reads through.
 *
 * Threads: values; use them anywhere.
 */
#pragma once

#include <glib.h>
#include <stddef.h>

/* Borrowed bytes: never owned, never NUL-terminated, any byte value. */
typedef struct {
    const char *data; /* (unowned) (nullable): %NULL only if len is 0 */
    size_t len;
} HpSlice;

/* A reading position inside borrowed bytes. Parsers only move it forward. */
typedef struct {
    const char *at;  /* (unowned) */
    const char *end; /* (unowned) */
} HpCursor;

typedef gboolean (*HpByteClass)(unsigned char byte);

#define HP_SLICE_LITERAL(s) ((HpSlice){ "" s, sizeof(s) - 1 })

/* A view of a C string without its NUL; %NULL gives the empty slice. */
HpSlice hp_slice_of(const char *text);

/* A view of a #GBytes or #GString, good as long as that lives unchanged. */
HpSlice hp_slice_of_bytes(GBytes *bytes);
HpSlice hp_slice_of_string(const GString *string);

/* Exact equality, and equality with ASCII case ignored. */
gboolean hp_slice_equal(HpSlice a, HpSlice b);
gboolean hp_slice_equal_nocase(HpSlice a, const char *word);

/* @bytes without leading and trailing space, tab, CR and LF. */
HpSlice hp_slice_trim(HpSlice bytes);

/* A NUL-terminated copy. A NUL inside stays inside: do not pass on what may hold one. */
char *hp_slice_dup(HpSlice bytes) G_GNUC_WARN_UNUSED_RESULT;

HpCursor hp_cursor_over(HpSlice bytes);

/* What is still ahead of the cursor. */
HpSlice hp_cursor_rest(const HpCursor *c);

/* %TRUE if nothing is ahead. */
gboolean hp_cursor_at_end(const HpCursor *c);

/* Returns the next byte (0–255) without consuming it, or -1 at the end. */
int hp_cursor_peek(const HpCursor *c);

/* Each of these consumes what it names and returns %TRUE, or consumes nothing. */
gboolean hp_cursor_skip(HpCursor *c, char byte);
gboolean hp_cursor_skip_word(HpCursor *c, const char *word); /* ASCII case ignored */

/* Consumes the longest run of bytes in @cls; the run may be empty. */
HpSlice hp_cursor_take(HpCursor *c, HpByteClass cls);

/* Consumes up to, not including, the first @byte, or up to the end. */
HpSlice hp_cursor_take_until(HpCursor *c, char byte);

/**
 * hp_cursor_take_number:
 * @c: cursor at the first digit
 * @max: the largest value that is accepted
 * @ret_number: (out): the value
 *
 * Consumes a run of ASCII digits (1 to 20 of them, leading zeros allowed).
 *
 * Returns: %TRUE if there was a number of at most @max; else nothing is consumed
 */
gboolean hp_cursor_take_number(HpCursor *c, guint64 max, guint64 *ret_number);
