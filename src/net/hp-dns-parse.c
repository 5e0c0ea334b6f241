#include "hp-dns-parse.h"

#include <arpa/inet.h>
#include <string.h>

#define HEADER_OCTETS  12
#define CLASS_IN       1
#define MAX_NAME       255 /* octets; RFC 1035 §2.3.4 */
#define MAX_LABEL      63  /* RFC 1035 §2.3.4 */
#define MAX_POINTERS   32  /* in one name; more is an attack, not compression */
#define MAX_CNAMES     8   /* of one chain */
#define MAX_ALIASES    32  /* remembered of one packet, to be followed in any order */
#define MAX_MX         20
#define MAX_OTHER      16   /* addresses, TXT and whatever else is asked for */
#define MAX_TXT_OCTETS 4096 /* joined; an SPF or DKIM record is far shorter */

/* A decoded name; @plain says that it can be written with dots between its labels. */
typedef struct {
    char text[MAX_NAME + 1];
    gboolean plain;
} Name;

/* A resource record: what is read of it before its type is looked at. */
typedef struct {
    Name owner;
    guint type;
    guint class;
    guint32 ttl_sec;
    HpSlice data;
} Record;

typedef struct {
    char *owner;  /* (owned) */
    char *target; /* (owned) */
    guint32 ttl_sec;
} Alias;

typedef struct {
    HpSlice packet;
    HpDnsType type;
    guint left[3];    /* records of the answer, authority and additional sections */
    GArray *aliases;  /* (owned): Alias */
    GPtrArray *found; /* (owned): Candidate */
    HpDnsParsed *out; /* (unowned) */
} Walk;

/* A record of the wanted type; whether its owner ends the chain is only known at the end
 * of the packet. */
typedef struct {
    char *owner; /* (owned) */
    guint32 ttl_sec;
    HpDnsRecord *record; /* (owned) (nullable): moved to the answer */
} Candidate;

void
hp_dns_record_free(HpDnsRecord *self)
{
    g_free(self->text);
    g_free(self);
}

void
hp_dns_parsed_clear(HpDnsParsed *self)
{
    g_clear_pointer(&self->canonical, g_free);
    g_clear_pointer(&self->soa, g_free);
    g_clear_pointer(&self->records, g_ptr_array_unref);
}

static void
alias_clear(gpointer item)
{
    Alias *alias = item;

    g_free(alias->owner);
    g_free(alias->target);
}

static void
candidate_free(gpointer item)
{
    Candidate *candidate = item;

    g_free(candidate->owner);
    g_clear_pointer(&candidate->record, hp_dns_record_free);
    g_free(candidate);
}

static gboolean
take_bytes(HpCursor *c, size_t len, HpSlice *ret_bytes)
{
    if (hp_cursor_rest(c).len < len)
        return FALSE;
    *ret_bytes = (HpSlice){ c->at, len };
    if (len > 0)
        c->at += len;
    return TRUE;
}

static gboolean
take16(HpCursor *c, guint *ret_value)
{
    HpSlice bytes;

    if (!take_bytes(c, 2, &bytes))
        return FALSE;
    *ret_value =
        (guint)((unsigned char)bytes.data[0] << 8) | (unsigned char)bytes.data[1];
    return TRUE;
}

static gboolean
take32(HpCursor *c, guint32 *ret_value)
{
    guint high;
    guint low;
    HpCursor p = *c;

    if (!take16(&p, &high) || !take16(&p, &low))
        return FALSE;
    *ret_value = (guint32)high << 16 | low;
    *c = p;
    return TRUE;
}

/* Bytes of host names, of the underscore labels of TXT and TLSA, and of RFC 1034's
 * wildcard. */
static gboolean
is_label_byte(unsigned char b)
{
    return g_ascii_isalnum(b) || b == '-' || b == '_' || b == '*' || b == '/';
}

/* Appends a label, with a dot before it unless it is the first. */
static gboolean
add_label(Name *name, size_t *len, HpSlice label)
{
    if (*len + label.len + 1 > MAX_NAME - 1)
        return FALSE;
    if (*len > 0)
        name->text[(*len)++] = '.';
    for (size_t i = 0; i < label.len; i++) {
        char byte = label.data[i];

        name->plain = name->plain && is_label_byte((unsigned char)byte);
        /* A NUL would end the text; the name is not plain any more. */
        name->text[*len] = '?';
        if (byte != '\0')
            name->text[*len] = g_ascii_tolower(byte);
        (*len)++;
    }
    name->text[*len] = '\0';
    return TRUE;
}

/* Moves @p to where the pointer that begins with @first leads. It must lead backwards,
 * so a chain of them ends. */
static gboolean
follow_pointer(HpSlice packet, guint first, HpCursor *p, size_t *limit)
{
    HpSlice second;
    size_t offset;

    if (!take_bytes(p, 1, &second))
        return FALSE;
    offset = (size_t)(first & 0x3f) << 8 | (unsigned char)second.data[0];
    if (offset >= *limit)
        return FALSE;
    *limit = offset;
    *p = hp_cursor_over((HpSlice){ packet.data + offset, packet.len - offset });
    return TRUE;
}

/* name: *(length label) (zero / pointer), RFC 1035 §4.1.4. The cursor ends behind the
 * name, not behind what it points to. */
static gboolean
take_name(HpSlice packet, HpCursor *c, Name *ret_name)
{
    HpCursor p = *c;
    HpCursor behind = *c;
    size_t limit = (size_t)(c->at - packet.data);
    size_t len = 0;
    guint pointers = 0;
    HpSlice byte;

    *ret_name = (Name){ .plain = TRUE };
    while (take_bytes(&p, 1, &byte)) {
        guint first = (unsigned char)byte.data[0];
        HpSlice label;

        if (first >= 0xc0) {
            if (pointers == 0)
                behind = (HpCursor){ p.at, p.end };
            if (++pointers > MAX_POINTERS || !follow_pointer(packet, first, &p, &limit))
                return FALSE;
            continue;
        }
        if (first > MAX_LABEL)
            return FALSE;
        if (first == 0) {
            if (pointers > 0)
                p = (HpCursor){ behind.at + 1, behind.end };
            *c = p;
            return TRUE;
        }
        if (!take_bytes(&p, first, &label) || !add_label(ret_name, &len, label))
            return FALSE;
    }
    return FALSE;
}

/* A name that fills @data exactly and can be written as text. */
static gboolean
read_host(HpSlice packet, HpSlice data, Name *ret_name)
{
    /* The name may point anywhere before it in the packet, but must end with the data. */
    HpCursor c = hp_cursor_over(data);

    return take_name(packet, &c, ret_name) && hp_cursor_at_end(&c) && ret_name->plain;
}

static gboolean
take_record(HpSlice packet, HpCursor *c, Record *ret_record)
{
    HpCursor p = *c;
    guint len;

    if (!take_name(packet, &p, &ret_record->owner) || !take16(&p, &ret_record->type) ||
        !take16(&p, &ret_record->class) || !take32(&p, &ret_record->ttl_sec) ||
        !take16(&p, &len) || !take_bytes(&p, len, &ret_record->data))
        return FALSE;
    /* RFC 2181 §8: a TTL with the highest bit set is 0. */
    if (ret_record->ttl_sec > G_MAXINT32)
        ret_record->ttl_sec = 0;
    *c = p;
    return TRUE;
}

static char *
read_address(HpSlice data, HpDnsType type)
{
    char text[INET6_ADDRSTRLEN];

    if (data.len != (type == HP_DNS_A ? 4 : 16))
        return NULL;
    if (inet_ntop(type == HP_DNS_A ? AF_INET : AF_INET6, data.data, text, sizeof(text)) ==
        NULL)
        return NULL;
    return g_strdup(text);
}

/* TXT-DATA: one or more character-strings, RFC 1035 §3.3.14; they are joined. */
static char *
read_txt(HpSlice data)
{
    g_autoptr(GString) text = g_string_new(NULL);
    HpCursor c = hp_cursor_over(data);
    HpSlice byte;

    while (take_bytes(&c, 1, &byte)) {
        HpSlice piece;

        if (!take_bytes(&c, (unsigned char)byte.data[0], &piece) ||
            text->len + piece.len > MAX_TXT_OCTETS)
            return NULL;
        if (piece.len > 0 && memchr(piece.data, 0, piece.len) != NULL)
            return NULL;
        if (piece.len > 0)
            g_string_append_len(text, piece.data, (gssize)piece.len);
    }
    return data.len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* MX: preference exchange, RFC 1035 §3.3.9 */
static char *
read_mx(HpSlice packet, HpSlice data, guint16 *ret_preference)
{
    HpCursor c = hp_cursor_over(data);
    guint preference;
    Name host;

    if (!take16(&c, &preference) || !read_host(packet, hp_cursor_rest(&c), &host))
        return NULL;
    *ret_preference = (guint16)preference;
    return g_strdup(host.text);
}

/* The data of a record of the wanted type as text; %NULL if it is broken. */
static char *
read_data(const Walk *walk, const Record *record, guint16 *ret_preference)
{
    Name host;

    switch (walk->type) {
    case HP_DNS_A:
    case HP_DNS_AAAA:
        return read_address(record->data, walk->type);
    case HP_DNS_TXT:
        return read_txt(record->data);
    case HP_DNS_MX:
        return read_mx(walk->packet, record->data, ret_preference);
    case HP_DNS_SOA: {
        /* Only that there is one matters: its first name stands for it. */
        HpCursor c = hp_cursor_over(record->data);

        return take_name(walk->packet, &c, &host) && host.plain ? g_strdup(host.text)
                                                                : NULL;
    }
    case HP_DNS_CNAME:
        return read_host(walk->packet, record->data, &host) ? g_strdup(host.text) : NULL;
    default:
        return NULL;
    }
}

static guint
max_records(HpDnsType type)
{
    return type == HP_DNS_MX ? MAX_MX : MAX_OTHER;
}

static void
keep_alias(Walk *walk, const Record *record)
{
    Name target;
    Alias *alias;

    if (walk->aliases->len >= MAX_ALIASES ||
        !read_host(walk->packet, record->data, &target))
        return;
    g_array_set_size(walk->aliases, walk->aliases->len + 1);
    alias = &g_array_index(walk->aliases, Alias, walk->aliases->len - 1);
    *alias = (Alias){ .owner = g_strdup(record->owner.text),
                      .target = g_strdup(target.text),
                      .ttl_sec = record->ttl_sec };
}

static void
keep_answer(Walk *walk, const Record *record)
{
    guint16 preference = 0;
    Candidate *candidate;
    char *text;

    if (record->class != CLASS_IN || !record->owner.plain)
        return;
    if (record->type == HP_DNS_CNAME && walk->type != HP_DNS_CNAME) {
        keep_alias(walk, record);
        return;
    }
    if (record->type != (guint)walk->type || walk->found->len >= max_records(walk->type))
        return;
    text = read_data(walk, record, &preference);
    if (text == NULL)
        return;
    candidate = g_new0(Candidate, 1);
    candidate->owner = g_strdup(record->owner.text);
    candidate->ttl_sec = record->ttl_sec;
    candidate->record = g_new0(HpDnsRecord, 1);
    candidate->record->preference = preference;
    candidate->record->text = text;
    g_ptr_array_add(walk->found, candidate);
}

static void
keep_authority(Walk *walk, const Record *record)
{
    if (record->class != CLASS_IN || record->type != HP_DNS_SOA || !record->owner.plain ||
        walk->out->soa != NULL)
        return;
    walk->out->soa = g_strdup(record->owner.text);
}

/* The answer and authority sections; the additional one is never believed. */
static gboolean
walk_sections(Walk *walk, HpCursor *c)
{
    for (guint section = 0; section < 2; section++) {
        for (guint i = 0; i < walk->left[section]; i++) {
            Record record;

            if (!take_record(walk->packet, c, &record))
                return FALSE;
            if (section == 0)
                keep_answer(walk, &record);
            else
                keep_authority(walk, &record);
        }
    }
    return TRUE;
}

static const Alias *
find_alias(const Walk *walk, const char *owner)
{
    for (guint i = 0; i < walk->aliases->len; i++) {
        const Alias *alias = &g_array_index(walk->aliases, Alias, i);

        if (g_ascii_strcasecmp(alias->owner, owner) == 0)
            return alias;
    }
    return NULL;
}

/* Follows the chain from @name, then keeps the records that its end owns. */
static void
follow_chain(Walk *walk, const char *name)
{
    HpDnsParsed *out = walk->out;
    guint32 ttl_sec = G_MAXUINT32;
    const char *at = name;
    const Alias *alias;

    while ((alias = find_alias(walk, at)) != NULL && !out->endless) {
        at = alias->target;
        ttl_sec = MIN(ttl_sec, alias->ttl_sec);
        out->endless = ++out->hops >= MAX_CNAMES && find_alias(walk, at) != NULL;
    }
    out->canonical = g_ascii_strdown(at, -1);
    for (guint i = 0; i < walk->found->len && !out->endless; i++) {
        Candidate *candidate = g_ptr_array_index(walk->found, i);

        if (g_ascii_strcasecmp(candidate->owner, at) != 0)
            continue;
        ttl_sec = MIN(ttl_sec, candidate->ttl_sec);
        g_ptr_array_add(out->records, g_steal_pointer(&candidate->record));
    }
    out->ttl_sec = ttl_sec == G_MAXUINT32 ? 0 : ttl_sec;
}

/* QR set, one question, and it is ours. */
static gboolean
take_header(Walk *walk, HpCursor *c, const char *name)
{
    guint id;
    guint flags;
    guint questions;
    guint type;
    guint class;
    Name asked;

    if (!take16(c, &id) || !take16(c, &flags) || !take16(c, &questions))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(walk->left); i++) {
        if (!take16(c, &walk->left[i]))
            return FALSE;
    }
    if ((flags & 0x8000) == 0 || questions != 1 || !take_name(walk->packet, c, &asked) ||
        !take16(c, &type) || !take16(c, &class))
        return FALSE;
    walk->out->rcode = flags & 0x000f;
    walk->out->authentic = (flags & 0x0020) != 0;
    walk->out->truncated = (flags & 0x0200) != 0;
    return type == (guint)walk->type && class == CLASS_IN &&
           g_ascii_strcasecmp(asked.text, name) == 0;
}

gboolean
hp_dns_parse(HpSlice packet, const char *name, HpDnsType type, HpDnsParsed *ret_parsed)
{
    g_autoptr(GArray) aliases = g_array_new(FALSE, FALSE, sizeof(Alias));
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(candidate_free);
    g_auto(HpDnsParsed) parsed = { .rcode = 0 };
    Walk walk = { .packet = packet, .type = type, .out = &parsed };
    HpCursor c = hp_cursor_over(packet);

    if (packet.len < HEADER_OCTETS)
        return FALSE;
    g_array_set_clear_func(aliases, alias_clear);
    parsed.records = g_ptr_array_new_with_free_func((GDestroyNotify)hp_dns_record_free);
    walk.aliases = aliases;
    walk.found = found;
    if (!take_header(&walk, &c, name) || !walk_sections(&walk, &c))
        return FALSE;
    follow_chain(&walk, name);
    *ret_parsed = parsed;
    parsed = (HpDnsParsed){ .rcode = 0 };
    return TRUE;
}
