#include "hp-imap-thread-names.h"

#include <string.h>

#define FIRST_SLOTS 64 /* a power of two */

typedef struct {
    guint64 hash;
    HpSlice text; /* (unowned): in the chunk */
} Name;

struct _HpNames {
    guint64 key[2];
    GStringChunk *chunk; /* (owned) */
    GArray *names;       /* (owned): Name */
    guint32 *slots;      /* (owned): number + 1 of a name, 0: free; linear probing */
    guint32 n_slots;     /* a power of two, at least twice the names */
    size_t octets;
    guint64 steps;
};

static guint64
random_word(void)
{
    return (guint64)g_random_int() << 32 | g_random_int();
}

HpNames *
hp_names_new(void)
{
    HpNames *self = g_new0(HpNames, 1);

    self->key[0] = random_word();
    self->key[1] = random_word();
    self->chunk = g_string_chunk_new((gsize)16 * 1024);
    self->names = g_array_new(FALSE, FALSE, sizeof(Name));
    self->n_slots = FIRST_SLOTS;
    self->slots = g_new0(guint32, self->n_slots);
    return self;
}

void
hp_names_free(HpNames *self)
{
    if (self == NULL)
        return;
    g_string_chunk_free(self->chunk);
    g_array_unref(self->names);
    g_free(self->slots);
    g_free(self);
}

static guint64
rotated(guint64 word, guint by)
{
    return word << by | word >> (64 - by);
}

static void
sip_rounds(guint64 v[4], guint n)
{
    for (guint i = 0; i < n; i++) {
        v[0] += v[1];
        v[1] = rotated(v[1], 13) ^ v[0];
        v[0] = rotated(v[0], 32);
        v[2] += v[3];
        v[3] = rotated(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotated(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotated(v[1], 17) ^ v[2];
        v[2] = rotated(v[2], 32);
    }
}

static void
sip_word(guint64 v[4], guint64 word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

guint64
hp_names_hash(guint64 k0, guint64 k1, HpSlice bytes)
{
    guint64 v[4] = { k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
                     k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL };
    guint64 word = 0;
    size_t i = 0;

    for (; i + 8 <= bytes.len; i += 8) {
        memcpy(&word, bytes.data + i, 8);
        sip_word(v, GUINT64_FROM_LE(word));
    }
    word = 0;
    if (i < bytes.len)
        memcpy(&word, bytes.data + i, bytes.len - i);
    sip_word(v, GUINT64_FROM_LE(word) | (guint64)bytes.len << 56);
    v[2] ^= 0xFF;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static guint32
find_slot(HpNames *self, guint64 hash, HpSlice text)
{
    guint32 slot = (guint32)hash & (self->n_slots - 1);

    for (self->steps++; self->slots[slot] != 0; self->steps++) {
        const Name *name = &g_array_index(self->names, Name, self->slots[slot] - 1);

        if (name->hash == hash && hp_slice_equal(name->text, text))
            break;
        slot = (slot + 1) & (self->n_slots - 1);
    }
    return slot;
}

static void
grow(HpNames *self)
{
    g_free(self->slots);
    self->n_slots *= 2;
    self->slots = g_new0(guint32, self->n_slots);
    for (guint32 i = 0; i < self->names->len; i++) {
        const Name *name = &g_array_index(self->names, Name, i);

        self->slots[find_slot(self, name->hash, name->text)] = i + 1;
    }
}

guint32
hp_names_add(HpNames *self, HpSlice text)
{
    Name name = { hp_names_hash(self->key[0], self->key[1], text), { "", 0 } };
    guint32 slot = find_slot(self, name.hash, text);

    if (self->slots[slot] != 0)
        return self->slots[slot] - 1;
    if (text.len > 0)
        name.text = (HpSlice){
            g_string_chunk_insert_len(self->chunk, text.data, (gssize)text.len), text.len
        };
    self->octets += text.len;
    g_array_append_val(self->names, name);
    self->slots[slot] = self->names->len;
    if (self->names->len > self->n_slots / 2)
        grow(self);
    return self->names->len - 1;
}

guint32
hp_names_len(const HpNames *self)
{
    return self->names->len;
}

size_t
hp_names_octets(const HpNames *self)
{
    return self->octets;
}

guint64
hp_names_steps(const HpNames *self)
{
    return self->steps;
}
