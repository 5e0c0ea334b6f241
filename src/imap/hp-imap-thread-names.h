/* hp-imap-thread-names: texts from outside as small numbers: the same text, the same
 * number. The hash is keyed (SipHash-2-4) with a key of its own for each table, so that
 * nobody can send texts that collide.
 *
 * Threads: one owner.
 */
#pragma once

#include "hp-slice.h"

typedef struct _HpNames HpNames;

HpNames *hp_names_new(void);
void hp_names_free(HpNames *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpNames, hp_names_free)

/* The number of @text, from 0 on; a new one if it was not there. */
guint32 hp_names_add(HpNames *self, HpSlice text);

guint32 hp_names_len(const HpNames *self);
size_t hp_names_octets(const HpNames *self); /* of all texts */

/* Places that were looked at since the beginning: what tests hold against a bound. */
guint64 hp_names_steps(const HpNames *self);

/* SipHash-2-4 (Aumasson and Bernstein 2012) with the key @k0, @k1. */
guint64 hp_names_hash(guint64 k0, guint64 k1, HpSlice bytes);
