#include "hp-address.h"

#include "hp-charset.h"
#include "hp-text.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define LONGEST_LOCAL  64   /* octets; RFC 5321 §4.5.3.1.1 */
#define LONGEST_DOMAIN 255  /* octets; RFC 5321 §4.5.3.1.2 */
#define LONGEST_PATH   256  /* octets, with "<" and ">"; RFC 5321 §4.5.3.1.3 */
#define LONGEST_ROUTE  1024 /* octets of a source route, which is dropped */
#define LONGEST_LABEL  63   /* octets; RFC 1035 §2.3.4 */
#define LONGEST_LIST                                                                     \
    ((size_t)64 * 1024)          /* octets of a header field that are looked at          \
                                  */
#define LONGEST_NAME         200 /* characters of a display name */
#define LONGEST_HEADER_LOCAL 256 /* octets; mail of the world, not only ours */

void
hp_address_free(HpAddress *self)
{
    if (self == NULL)
        return;
    g_free(self->local);
    g_free(self->domain);
    g_free(self->name);
    g_free(self);
}

/* atext of RFC 5322 §3.2.3 with the UTF8-non-ascii of RFC 6531 §3.3 */
static gboolean
is_atext(unsigned char byte)
{
    return g_ascii_isalnum(byte) || byte >= 0x80 ||
           (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

static gboolean
is_atext_or_dot(unsigned char byte)
{
    return is_atext(byte) || byte == '.';
}

static gboolean
is_domain_byte(unsigned char byte)
{
    return g_ascii_isalnum(byte) || byte >= 0x80 || byte == '-' || byte == '_';
}

/* dtext of RFC 5321 §4.1.3 */
static gboolean
is_dtext(unsigned char byte)
{
    return byte > ' ' && byte < 0x7F && byte != '[' && byte != ']' && byte != '\\';
}

static gboolean
is_clean_utf8(HpSlice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7F)
            return FALSE;
    return text.len == 0 || g_utf8_validate_len(text.data, text.len, NULL);
}

/* C1 controls are two bytes in UTF-8; they have no place in an address either. */
static gboolean
has_wide_control(HpSlice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if ((unsigned char)text.data[i] == 0xC2 && (unsigned char)text.data[i + 1] < 0xA0)
            return TRUE;
    return FALSE;
}

static gboolean
is_dot_string(HpSlice local)
{
    if (local.len == 0 || local.data[0] == '.' || local.data[local.len - 1] == '.')
        return FALSE;
    for (size_t i = 0; i < local.len; i++)
        if (!is_atext_or_dot((unsigned char)local.data[i]) ||
            (local.data[i] == '.' && local.data[i + 1] == '.'))
            return FALSE;
    return TRUE;
}

static char *
write_local(HpSlice local)
{
    GString *out;

    if (is_dot_string(local))
        return hp_slice_dup(local);
    out = g_string_sized_new(local.len + 4);
    g_string_append_c(out, '"');
    for (size_t i = 0; i < local.len; i++) {
        if (local.data[i] == '"' || local.data[i] == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, local.data[i]);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

char *
hp_address_write(const HpAddress *self)
{
    g_autofree char *local = write_local(hp_slice_of(self->local));

    if (self->domain == NULL)
        return g_steal_pointer(&local);
    return g_strconcat(local, "@", self->domain, NULL);
}

/* phrase = 1*word, as one quoted string where a byte needs it */
static char *
write_phrase(const char *name, guint column)
{
    g_autofree char *words = hp_charset_encode_words(name, column);
    GString *out;
    gboolean plain = TRUE;

    if (!hp_text_is_ascii(hp_slice_of(name)))
        return g_steal_pointer(&words);
    for (const char *p = words; *p != '\0'; p++)
        plain = plain && (is_atext((unsigned char)*p) || *p == ' ');
    /* What looks like an encoded word was made into one. */
    if (plain || memmem(words, strlen(words), "=?", 2) != NULL)
        return g_steal_pointer(&words);
    out = g_string_new("\"");
    for (const char *p = words; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

char *
hp_address_write_mailbox(const char *name, const char *address, guint column)
{
    g_autofree char *phrase = NULL;
    const char *last_line;

    if (name == NULL || *name == '\0')
        return g_strdup(address);
    phrase = write_phrase(name, column);
    last_line = strrchr(phrase, '\n');
    if (last_line != NULL)
        column = (guint)strlen(last_line);
    else
        column += (guint)strlen(phrase);
    return g_strconcat(phrase, column + strlen(address) > 74 ? "\r\n <" : " <", address,
                       ">", NULL);
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE, RFC 5321 §4.1.2; appends it unquoted */
static gboolean
take_quoted(HpCursor *cursor, GString *out)
{
    HpCursor c = *cursor;
    size_t before = out->len;

    if (!hp_cursor_skip(&c, '"'))
        return FALSE;
    while (!hp_cursor_skip(&c, '"')) {
        hp_cursor_skip(&c, '\\');
        if (hp_cursor_at_end(&c)) {
            g_string_truncate(out, before);
            return FALSE;
        }
        g_string_append_c(out, *c.at++);
    }
    *cursor = c;
    return TRUE;
}

/* Local-part = Dot-string / Quoted-string */
static gboolean
take_local(HpCursor *c, GString *out)
{
    HpSlice dotted;

    if (hp_cursor_peek(c) == '"')
        return take_quoted(c, out);
    dotted = hp_cursor_take(c, is_atext_or_dot);
    g_string_append_len(out, dotted.len > 0 ? dotted.data : "", (gssize)dotted.len);
    return dotted.len > 0;
}

/* address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]", §4.1.3. General
 * literals have no meaning that anybody could deliver to. */
static gboolean
take_literal(HpCursor *cursor)
{
    HpCursor c = *cursor;
    HpSlice inside;
    g_autofree char *text = NULL;
    unsigned char address[sizeof(struct in6_addr)];
    gboolean good;

    if (!hp_cursor_skip(&c, '['))
        return FALSE;
    inside = hp_cursor_take(&c, is_dtext);
    text = hp_slice_dup(inside);
    if (g_ascii_strncasecmp(text, "IPv6:", 5) == 0)
        good = inet_pton(AF_INET6, text + 5, address) == 1;
    else
        good = inet_pton(AF_INET, text, address) == 1;
    if (!good || !hp_cursor_skip(&c, ']'))
        return FALSE;
    *cursor = c;
    return TRUE;
}

/* Domain = sub-domain *("." sub-domain); sub-domain begins and ends with Let-dig */
static gboolean
take_domain(HpCursor *cursor, HpSlice *ret_domain)
{
    HpCursor c = *cursor;
    const char *start = c.at;

    if (hp_cursor_peek(&c) == '[') {
        if (!take_literal(&c))
            return FALSE;
    } else {
        do {
            HpSlice label = hp_cursor_take(&c, is_domain_byte);

            if (label.len == 0 || label.len > LONGEST_DOMAIN || label.data[0] == '-' ||
                label.data[label.len - 1] == '-' ||
                (label.len > LONGEST_LABEL && hp_text_is_ascii(label)))
                return FALSE;
        } while (hp_cursor_skip(&c, '.'));
    }
    *ret_domain = (HpSlice){ start, (size_t)(c.at - start) };
    if (ret_domain->len > LONGEST_DOMAIN)
        return FALSE;
    *cursor = c;
    return TRUE;
}

/* A-d-l ":", RFC 5321 §4.1.2: "MUST BE accepted, SHOULD NOT be generated, and SHOULD be
 * ignored". */
static gboolean
skip_route(HpCursor *cursor)
{
    HpCursor c = *cursor;
    HpSlice domain;

    do {
        if (!hp_cursor_skip(&c, '@') || !take_domain(&c, &domain))
            return FALSE;
    } while (hp_cursor_skip(&c, ','));
    if (!hp_cursor_skip(&c, ':') || c.at - cursor->at > LONGEST_ROUTE)
        return FALSE;
    *cursor = c;
    return TRUE;
}

/* As written, with "<" and ">": only so is the limit the same when it is read again. */
static gboolean
is_short_enough(HpSlice local, HpSlice domain)
{
    g_autofree char *written = write_local(local);

    return strlen(written) + domain.len + strlen("<@>") <= LONGEST_PATH;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ), or a local part alone */
static HpAddress *
take_mailbox(HpCursor *cursor)
{
    HpCursor c = *cursor;
    g_autoptr(GString) local = g_string_sized_new(32);
    HpAddress *address;
    HpSlice domain = { NULL, 0 };
    HpSlice bytes;
    gboolean qualified;

    if (!take_local(&c, local))
        return NULL;
    qualified = hp_cursor_skip(&c, '@');
    if (qualified && !take_domain(&c, &domain))
        return NULL;
    bytes = hp_slice_of_string(local);
    if (bytes.len > LONGEST_LOCAL || !is_clean_utf8(bytes) || has_wide_control(bytes) ||
        !is_clean_utf8(domain) || has_wide_control(domain) ||
        !is_short_enough(bytes, domain))
        return NULL;
    address = g_new0(HpAddress, 1);
    address->local = hp_slice_dup(bytes);
    address->domain = qualified ? hp_slice_dup(domain) : NULL;
    *cursor = c;
    return address;
}

gboolean
hp_address_parse_path(HpCursor *c, HpAddress **ret_address)
{
    HpCursor p = *c;
    HpAddress *address = NULL;

    if (!hp_cursor_skip(&p, '<'))
        return FALSE;
    if (hp_cursor_peek(&p) == '@' && !skip_route(&p))
        return FALSE;
    if (hp_cursor_peek(&p) != '>' || p.at[-1] == ':') {
        address = take_mailbox(&p);
        if (address == NULL)
            return FALSE;
    }
    if (!hp_cursor_skip(&p, '>')) {
        hp_address_free(address);
        return FALSE;
    }
    *ret_address = address;
    *c = p;
    return TRUE;
}

HpAddress *
hp_address_parse(HpSlice text)
{
    HpCursor c = hp_cursor_over(text);
    HpAddress *address = take_mailbox(&c);

    if (address == NULL || hp_cursor_at_end(&c))
        return address;
    hp_address_free(address);
    return NULL;
}

static gboolean
equal_domains(const char *a, const char *b)
{
    g_autofree char *ascii_a = NULL;
    g_autofree char *ascii_b = NULL;

    if (a == NULL || b == NULL || g_ascii_strcasecmp(a, b) == 0)
        return a == b || (a != NULL && b != NULL);
    if (hp_text_is_ascii(hp_slice_of(a)) && hp_text_is_ascii(hp_slice_of(b)))
        return FALSE;
    /* One of them may be written in U-labels, the other in A-labels. */
    ascii_a = hp_address_domain_to_ascii(a);
    ascii_b = hp_address_domain_to_ascii(b);
    return ascii_a != NULL && ascii_b != NULL && strcmp(ascii_a, ascii_b) == 0;
}

gboolean
hp_address_equal(const HpAddress *a, const HpAddress *b)
{
    return g_ascii_strcasecmp(a->local, b->local) == 0 &&
           equal_domains(a->domain, b->domain);
}

/* 1 to 63 octets a label, 253 in all (RFC 1035 §2.3.4), of bytes that names have. */
static gboolean
is_ascii_domain(const char *domain)
{
    HpCursor c = hp_cursor_over(hp_slice_of(domain));

    if (strlen(domain) > LONGEST_DOMAIN - 2 || !hp_text_is_ascii(hp_slice_of(domain)))
        return FALSE;
    do {
        HpSlice label = hp_cursor_take(&c, is_domain_byte);

        if (label.len == 0 || label.len > LONGEST_LABEL || label.data[0] == '-' ||
            label.data[label.len - 1] == '-')
            return FALSE;
    } while (hp_cursor_skip(&c, '.'));
    return hp_cursor_at_end(&c);
}

/* U-labels to A-labels, RFC 5891; GnuTLS maps by UTS #46 on the way. */
static char *
map_idna(const char *domain)
{
    g_autofree char *lower = NULL;
    g_autofree char *normal = NULL;
    gnutls_datum_t out = { NULL, 0 };
    char *ascii;

    if (!g_utf8_validate(domain, -1, NULL) || strlen(domain) > (size_t)4 * LONGEST_DOMAIN)
        return NULL;
    lower = g_utf8_strdown(domain, -1);
    normal = g_utf8_normalize(lower, -1, G_NORMALIZE_NFC);
    if (normal == NULL ||
        gnutls_idna_map(normal, (unsigned)strlen(normal), &out, 0) != GNUTLS_E_SUCCESS)
        return NULL;
    ascii = g_strndup((const char *)out.data, out.size);
    gnutls_free(out.data);
    return ascii;
}

char *
hp_address_domain_to_ascii(const char *domain)
{
    HpCursor c = hp_cursor_over(hp_slice_of(domain));
    g_autofree char *ascii = NULL;

    if (domain[0] == '[')
        return take_literal(&c) && hp_cursor_at_end(&c) ? g_strdup(domain) : NULL;
    if (hp_text_is_ascii(hp_slice_of(domain)))
        ascii = g_ascii_strdown(domain, -1);
    else
        ascii = map_idna(domain);
    if (ascii == NULL || !is_ascii_domain(ascii))
        return NULL;
    return g_steal_pointer(&ascii);
}

gboolean
hp_address_needs_smtputf8(const HpAddress *self)
{
    return !hp_text_is_ascii(hp_slice_of(self->local));
}

/* ---- header fields -------------------------------------------------------------- */

/* What is collected between two commas. */
typedef struct {
    GArray *places; /* (unowned) */
    guint max;
    GString *phrase;  /* (owned): words before "<", unquoted, joined by single spaces */
    GString *comment; /* (owned): the last comment, a name in the old form */
    HpSlice bare;     /* from the first to the last byte outside comments */
    HpSlice angle;    /* what stood between "<" and ">" */
    gboolean in_angle_form;
    gboolean junk; /* what cannot be understood was seen in this mailbox */
    gboolean whole;
} ListParser;

/* CFWS without comments. */
static gboolean
is_space(unsigned char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static gboolean
is_word(unsigned char byte)
{
    return !is_space(byte) && byte != '\0' && strchr("()<>\",;:", byte) == NULL;
}

/* comment = "(" *([FWS] ccontent) [FWS] ")", nested; counted, not recursive. An open end
 * closes with the field (RFC 7103 §7.1.4). */
static void
skip_comment(HpCursor *c, GString *ret_text)
{
    guint depth = 0;

    g_string_truncate(ret_text, 0);
    while (!hp_cursor_at_end(c)) {
        char byte = *c->at++;

        if (byte == '(' && depth++ == 0)
            continue;
        if (byte == ')' && --depth == 0)
            return;
        if (byte == '\\' && !hp_cursor_at_end(c))
            byte = *c->at++;
        g_string_append_c(ret_text, byte);
    }
}

static void
skip_cfws(HpCursor *c, GString *comment)
{
    while (TRUE) {
        hp_cursor_take(c, is_space);
        if (hp_cursor_peek(c) != '(')
            return;
        skip_comment(c, comment);
    }
}

/* One piece of a local part: word, or a run of dots. */
static gboolean
take_local_piece(HpCursor *c, GString *out)
{
    HpSlice run;

    if (hp_cursor_peek(c) == '"')
        return take_quoted(c, out);
    run = hp_cursor_take(c, is_atext_or_dot);
    g_string_append_len(out, run.len > 0 ? run.data : "", (gssize)run.len);
    return run.len > 0;
}

/* addr-spec = local-part "@" domain with obs-local-part and obs-domain (RFC 5322 §4.4):
 * white space and comments may stand around "." and "@", nowhere else. */
static gboolean
take_spec_local(HpCursor *c, GString *comment, GString *local)
{
    gboolean joined = TRUE; /* nothing or a "." stands before the next piece */

    skip_cfws(c, comment);
    while (hp_cursor_peek(c) != '@' && !hp_cursor_at_end(c)) {
        const char *before = c->at;

        if (!joined && *before != '.')
            return FALSE;
        if (!take_local_piece(c, local))
            return FALSE;
        joined = c->at[-1] == '.';
        if (hp_cursor_peek(c) == '"' && !joined)
            return FALSE;
        skip_cfws(c, comment);
    }
    return TRUE;
}

static gboolean
is_domain_or_dot(unsigned char byte)
{
    return is_domain_byte(byte) || byte == '.';
}

static gboolean
take_spec_domain(HpCursor *c, GString *comment, GString *domain)
{
    gboolean joined = TRUE;

    skip_cfws(c, comment);
    if (hp_cursor_peek(c) == '[') {
        HpSlice literal = hp_cursor_take_until(c, ']');

        if (!hp_cursor_skip(c, ']'))
            return FALSE;
        g_string_append_len(domain, literal.data, (gssize)literal.len + 1);
        skip_cfws(c, comment);
        return hp_cursor_at_end(c);
    }
    while (!hp_cursor_at_end(c)) {
        HpSlice run;

        if (!joined && hp_cursor_peek(c) != '.')
            return FALSE;
        run = hp_cursor_take(c, is_domain_or_dot);
        if (run.len == 0)
            return FALSE;
        g_string_append_len(domain, run.data, (gssize)run.len);
        joined = run.data[run.len - 1] == '.';
        skip_cfws(c, comment);
    }
    return domain->len > 0;
}

static gboolean
is_usable(const GString *part, size_t longest)
{
    HpSlice text = hp_slice_of_string(part);

    return text.len <= longest && is_clean_utf8(text) && !has_wide_control(text);
}

static HpAddress *
parse_spec(HpSlice spec, GString *comment)
{
    HpCursor c = hp_cursor_over(spec);
    g_autoptr(GString) local = g_string_sized_new(32);
    g_autoptr(GString) domain = g_string_sized_new(32);
    HpAddress *address;
    gboolean qualified;

    hp_cursor_take(&c, is_space);
    if (hp_cursor_peek(&c) == '@')
        skip_route(&c);
    if (!take_spec_local(&c, comment, local))
        return NULL;
    qualified = hp_cursor_skip(&c, '@');
    if (qualified && !take_spec_domain(&c, comment, domain))
        return NULL;
    if ((!qualified && local->len == 0) || !is_usable(local, LONGEST_HEADER_LOCAL) ||
        !is_usable(domain, LONGEST_DOMAIN))
        return NULL;
    address = g_new0(HpAddress, 1);
    address->local = hp_slice_dup(hp_slice_of_string(local));
    address->domain = qualified ? hp_slice_dup(hp_slice_of_string(domain)) : NULL;
    return address;
}

static char *
display_name(const ListParser *self)
{
    HpSlice raw = hp_slice_of_string(self->phrase);
    g_autofree char *decoded = NULL;
    g_autofree char *name = NULL;

    if (!self->in_angle_form)
        raw = hp_slice_of_string(self->comment);
    raw = hp_slice_trim(raw);
    if (raw.len == 0)
        return NULL;
    decoded = hp_charset_decode_words(raw);
    name = hp_text_printable(hp_slice_of(decoded), LONGEST_NAME);
    return name[0] != '\0' ? g_steal_pointer(&name) : NULL;
}

/* The mailbox that was collected is complete: keep it if it is one. */
static void
end_mailbox(ListParser *self)
{
    HpAddressPlace place = { NULL, self->in_angle_form ? self->angle : self->bare };
    gboolean empty = !self->in_angle_form && self->bare.len == 0;

    if (!empty && !self->junk)
        place.address = parse_spec(place.spec, self->comment);
    if (place.address != NULL && self->places->len < self->max) {
        place.address->name = display_name(self);
        g_array_append_val(self->places, place);
    } else if (!empty) {
        self->whole = FALSE;
        hp_address_free(place.address);
    }
    g_string_truncate(self->phrase, 0);
    g_string_truncate(self->comment, 0);
    self->bare = self->angle = (HpSlice){ NULL, 0 };
    self->in_angle_form = self->junk = FALSE;
}

/* "<" ... ">": up to the first ">" outside quotes. */
static void
take_angle(ListParser *self, HpCursor *c)
{
    const char *start;
    gboolean quoted = FALSE;

    hp_cursor_skip(c, '<');
    start = c->at;
    if (self->in_angle_form)
        self->junk = TRUE;
    self->in_angle_form = TRUE;
    while (!hp_cursor_at_end(c) && (quoted || *c->at != '>')) {
        if (*c->at == '"')
            quoted = !quoted;
        if (*c->at == '\\' && c->at + 1 < c->end)
            c->at++;
        c->at++;
    }
    self->angle = hp_slice_trim((HpSlice){ start, (size_t)(c->at - start) });
    if (!hp_cursor_skip(c, '>') || self->angle.len == 0)
        self->junk = TRUE;
}

static void
add_word(ListParser *self, const char *start, const char *end)
{
    if (self->in_angle_form)
        self->junk = TRUE;
    if (self->bare.data == NULL)
        self->bare.data = start;
    self->bare.len = (size_t)(end - self->bare.data);
}

static void
take_phrase_word(ListParser *self, HpCursor *c)
{
    const char *start = c->at;
    HpSlice run;

    if (self->phrase->len > 0)
        g_string_append_c(self->phrase, ' ');
    if (hp_cursor_peek(c) == '"') {
        if (!take_quoted(c, self->phrase)) {
            /* An open quote takes the rest (RFC 7103 §7.1.4). */
            self->junk = TRUE;
            c->at = c->end;
        }
    } else {
        run = hp_cursor_take(c, is_word);
        if (run.len == 0)
            c->at++; /* ")" or NUL where none may be */
        self->junk = self->junk || run.len == 0;
        g_string_append_len(self->phrase, run.len > 0 ? run.data : "", (gssize)run.len);
    }
    add_word(self, start, c->at);
}

static void
scan_step(ListParser *self, HpCursor *c)
{
    hp_cursor_take(c, is_space);
    switch (hp_cursor_peek(c)) {
    case -1:
        break;
    case '(':
        skip_comment(c, self->comment);
        break;
    case '<':
        take_angle(self, c);
        break;
    case ',':
    case ';':
        c->at++;
        end_mailbox(self);
        break;
    case ':':
        /* What came before was the name of a group. */
        c->at++;
        self->whole = self->whole && !self->in_angle_form && !self->junk;
        self->bare.len = 0;
        self->in_angle_form = self->junk = FALSE;
        end_mailbox(self);
        break;
    default:
        take_phrase_word(self, c);
        break;
    }
}

static void
clear_place(gpointer data)
{
    HpAddressPlace *place = data;

    hp_address_free(place->address);
}

GArray *
hp_address_scan(HpSlice value, guint max, gboolean *ret_whole)
{
    g_autoptr(GString) phrase = g_string_sized_new(64);
    g_autoptr(GString) comment = g_string_sized_new(16);
    GArray *places = g_array_new(FALSE, FALSE, sizeof(HpAddressPlace));
    ListParser parser = {
        .places = places, .max = max, .phrase = phrase, .comment = comment, .whole = TRUE
    };
    HpCursor c;

    g_array_set_clear_func(places, clear_place);
    if (value.len > LONGEST_LIST) {
        value.len = LONGEST_LIST;
        parser.whole = FALSE;
    }
    c = hp_cursor_over(value);
    while (!hp_cursor_at_end(&c) && places->len < max)
        scan_step(&parser, &c);
    end_mailbox(&parser);
    *ret_whole = parser.whole && hp_cursor_at_end(&c);
    return places;
}

GPtrArray *
hp_address_parse_list(HpSlice value, guint max)
{
    GPtrArray *addresses =
        g_ptr_array_new_with_free_func((GDestroyNotify)hp_address_free);
    gboolean whole;
    g_autoptr(GArray) places = hp_address_scan(value, max, &whole);

    for (guint i = 0; i < places->len; i++) {
        HpAddressPlace *place = &g_array_index(places, HpAddressPlace, i);

        g_ptr_array_add(addresses, g_steal_pointer(&place->address));
    }
    return addresses;
}
