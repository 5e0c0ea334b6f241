#include "hp-id.h"

#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static guint32
random_bits(void)
{
    guint32 bits = 0;

    /* Up to 256 bytes never come short once the pool is there (getrandom(2)). */
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        g_error("no random numbers to be had");
    return bits;
}

char *
hp_id_new(void)
{
    char id[HP_ID_LEN + 1] = "";
    gboolean letter = FALSE;

    while (!letter) {
        guint32 bits = random_bits();

        for (guint i = 0; i < HP_ID_LEN; i++, bits >>= 5) {
            id[i] = alphabet[bits & 31];
            letter = letter || (i < 4 && g_ascii_isalpha(id[i]));
        }
    }
    return g_strdup(id);
}

static char
normal(char c)
{
    c = g_ascii_toupper(c);
    if (c == 'I' || c == 'L')
        return '1';
    if (c == 'O')
        return '0';
    return c;
}

gboolean
hp_id_is_prefix(HpSlice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(alphabet, normal(text.data[i])) == NULL)
            return FALSE;
    return text.len >= 1 && text.len <= HP_ID_LEN;
}

char *
hp_id_normalise(HpSlice text)
{
    char *id = hp_slice_dup(text);

    for (size_t i = 0; i < text.len; i++)
        id[i] = normal(id[i]);
    return id;
}
