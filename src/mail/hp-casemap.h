/* hp-casemap: the collation i;unicode-casemap (RFC 5051): text prepared so that equality,
 * order and substring are those of its bytes.
 *
 * Preparing works character by character: what two texts give, one after the other, is
 * what their concatenation gives. So long texts can be searched piece by piece.
 *
 * Threads: any; a finder has one owner.
 */
#pragma once

#include "hp-slice.h"

/* Appends @utf8 in titlecase and decomposed (§2 (2)). Invalid bytes are kept as they are,
 * so that they are equal to themselves only. A character must not be split between two
 * calls. */
void hp_casemap_append(GString *out, HpSlice utf8);

/* (transfer full): the prepared text; %NULL counts as "". Compare with strcmp(). */
char *hp_casemap_key(const char *utf8);

/* %TRUE if the prepared @needle is in @utf8. The empty needle is in every text. */
gboolean hp_casemap_contains(HpSlice utf8, HpSlice prepared_needle);

/* Finds one needle in prepared text that comes in pieces. */
typedef struct _HpCasemapFinder HpCasemapFinder;

/* @prepared_needle: (unowned): outlives it. */
HpCasemapFinder *hp_casemap_finder_new(HpSlice prepared_needle);
void hp_casemap_finder_free(HpCasemapFinder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpCasemapFinder, hp_casemap_finder_free)

/* Forgets what came before: a new text begins. */
void hp_casemap_finder_restart(HpCasemapFinder *self);

/* %TRUE if the needle ends in @prepared_piece. */
gboolean hp_casemap_finder_feed(HpCasemapFinder *self, HpSlice prepared_piece);
