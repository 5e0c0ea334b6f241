#include "hp-dns-parse.h"

#include <string.h>

/* Header: id 1, the flags, one question, @answers and @authority records; then the
 * question "a.b" of @type. The rest of @bytes follows at offset 21. */
static GByteArray *
packet_of(guint flags, guint answers, guint authority, HpDnsType type)
{
    GByteArray *packet = g_byte_array_new();
    guint8 head[] = { 0,
                      1,
                      (guint8)(flags >> 8),
                      (guint8)flags,
                      0,
                      1,
                      0,
                      (guint8)answers,
                      0,
                      (guint8)authority,
                      0,
                      0,
                      1,
                      'a',
                      1,
                      'b',
                      0,
                      0,
                      (guint8)type,
                      0,
                      1 };

    g_byte_array_append(packet, head, sizeof(head));
    return packet;
}

#define OFFSET_A        12 /* "a.b" */
#define OFFSET_B        14 /* "b" */
#define BEHIND_QUESTION 21

/* A record whose owner is a pointer to @owner. */
static void
add(GByteArray *packet, guint owner, HpDnsType type, const char *data, gsize len)
{
    guint8 head[] = { 0xc0, (guint8)owner,      0,          (guint8)type, 0, 1, 0, 0, 0,
                      60,   (guint8)(len >> 8), (guint8)len };

    g_byte_array_append(packet, head, sizeof(head));
    g_byte_array_append(packet, (const guint8 *)data, (guint)len);
}

/* Parses an exact copy, so that one byte too many is seen. */
static gboolean
parse(const GByteArray *packet, HpDnsType type, HpDnsParsed *ret)
{
    g_autofree char *exact = g_memdup2(packet->data, packet->len);

    return hp_dns_parse((HpSlice){ exact, packet->len }, "A.b", type, ret);
}

static const char *
text_of(const HpDnsParsed *parsed, guint i)
{
    return ((const HpDnsRecord *)g_ptr_array_index(parsed->records, i))->text;
}

static void
reads_each_type(void)
{
    g_autoptr(GByteArray) mx = packet_of(0x8180, 2, 0, HP_DNS_MX);
    g_autoptr(GByteArray) null_mx = packet_of(0x8180, 1, 0, HP_DNS_MX);
    g_autoptr(GByteArray) txt = packet_of(0x8180, 1, 0, HP_DNS_TXT);
    g_auto(HpDnsParsed) first = { 0 };
    g_auto(HpDnsParsed) second = { 0 };
    g_auto(HpDnsParsed) third = { 0 };

    add(mx, OFFSET_A, HP_DNS_MX, "\0\12\2mx\300\14", 7);
    add(mx, OFFSET_A, HP_DNS_MX, "\1\0\1M\1X\0", 7);
    g_assert_true(parse(mx, HP_DNS_MX, &first));
    g_assert_cmpstr(text_of(&first, 0), ==, "mx.a.b");
    g_assert_cmpstr(text_of(&first, 1), ==, "m.x");
    g_assert_cmpuint(((HpDnsRecord *)first.records->pdata[1])->preference, ==, 256);
    g_assert_cmpuint(first.ttl_sec, ==, 60);
    add(null_mx, OFFSET_A, HP_DNS_MX, "\0\0\0", 3);
    g_assert_true(parse(null_mx, HP_DNS_MX, &second));
    g_assert_cmpstr(text_of(&second, 0), ==, "");
    add(txt, OFFSET_A, HP_DNS_TXT, "\2ab\0\1c", 6);
    g_assert_true(parse(txt, HP_DNS_TXT, &third));
    g_assert_cmpstr(text_of(&third, 0), ==, "abc");
}

static void
leaves_out_what_does_not_fill_its_length(void)
{
    static const struct {
        HpDnsType type;
        const char *data;
        gsize len;
    } rows[] = {
        { HP_DNS_A, "\1\2\3", 3 },
        { HP_DNS_A, "\1\2\3\4\5", 5 },
        { HP_DNS_AAAA, "\1\2\3\4", 4 },
        { HP_DNS_MX, "\0\12", 2 },
        { HP_DNS_MX, "\0", 1 },
        { HP_DNS_MX, "", 0 },
        { HP_DNS_MX, "\0\12\2mx", 5 },
        { HP_DNS_MX, "\0\12\2mx\0\0", 7 },
        { HP_DNS_MX, "\0\12\300", 3 },
        { HP_DNS_MX, "\0\12\2m \0", 6 },
        { HP_DNS_MX, "\0\12\2m\0\0", 6 },
        { HP_DNS_MX, "\0\12\3m.x\0", 7 },
        { HP_DNS_TXT, "", 0 },
        { HP_DNS_TXT, "\3ab", 3 },
        { HP_DNS_TXT, "\2a\0", 3 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) packet = packet_of(0x8180, 1, 0, rows[i].type);
        g_auto(HpDnsParsed) parsed = { 0 };

        add(packet, OFFSET_A, rows[i].type, rows[i].data, rows[i].len);
        g_assert_true(parse(packet, rows[i].type, &parsed));
        g_assert_cmpuint(parsed.records->len, ==, 0);
    }
}

static void
pointers_only_lead_backwards(void)
{
    g_autoptr(GByteArray) self = packet_of(0x8180, 1, 0, HP_DNS_A);
    g_autoptr(GByteArray) forward = packet_of(0x8180, 1, 0, HP_DNS_A);
    g_autoptr(GByteArray) data = packet_of(0x8180, 1, 0, HP_DNS_MX);
    g_auto(HpDnsParsed) parsed = { 0 };
    g_auto(HpDnsParsed) kept = { 0 };

    add(self, BEHIND_QUESTION, HP_DNS_A, "\1\2\3\4", 4);
    g_assert_false(parse(self, HP_DNS_A, &parsed));
    add(forward, BEHIND_QUESTION + 2, HP_DNS_A, "\1\2\3\4", 4);
    g_assert_false(parse(forward, HP_DNS_A, &parsed));
    /* Inside the data of a record only that record is lost. */
    add(data, OFFSET_A, HP_DNS_MX, "\0\12\300\43", 4);
    g_assert_true(parse(data, HP_DNS_MX, &kept));
    g_assert_cmpuint(kept.records->len, ==, 0);
}

static void
follows_aliases_in_any_order(void)
{
    g_autoptr(GByteArray) packet = packet_of(0x8180, 2, 0, HP_DNS_A);
    g_autoptr(GByteArray) loop = packet_of(0x8180, 2, 0, HP_DNS_A);
    g_auto(HpDnsParsed) parsed = { 0 };
    g_auto(HpDnsParsed) endless = { 0 };

    add(packet, OFFSET_B, HP_DNS_A, "\300\0\2\1", 4);
    add(packet, OFFSET_A, HP_DNS_CNAME, "\300\16", 2);
    g_assert_true(parse(packet, HP_DNS_A, &parsed));
    g_assert_cmpstr(parsed.canonical, ==, "b");
    g_assert_cmpuint(parsed.hops, ==, 1);
    g_assert_cmpstr(text_of(&parsed, 0), ==, "192.0.2.1");
    add(loop, OFFSET_A, HP_DNS_CNAME, "\300\16", 2);
    add(loop, OFFSET_B, HP_DNS_CNAME, "\300\14", 2);
    g_assert_true(parse(loop, HP_DNS_A, &endless));
    g_assert_true(endless.endless);
    g_assert_cmpuint(endless.hops, ==, 8);
}

static void
records_of_other_names_are_not_believed(void)
{
    g_autoptr(GByteArray) packet = packet_of(0x8180, 1, 0, HP_DNS_A);
    g_auto(HpDnsParsed) parsed = { 0 };

    add(packet, OFFSET_B, HP_DNS_A, "\1\2\3\4", 4);
    g_assert_true(parse(packet, HP_DNS_A, &parsed));
    g_assert_cmpuint(parsed.records->len, ==, 0);
}

static void
tells_the_flags_and_the_soa(void)
{
    g_autoptr(GByteArray) packet = packet_of(0x83a3, 0, 1, HP_DNS_A);
    g_auto(HpDnsParsed) parsed = { 0 };

    add(packet, OFFSET_B, HP_DNS_SOA, "\0\0", 2);
    g_assert_true(parse(packet, HP_DNS_A, &parsed));
    g_assert_cmpuint(parsed.rcode, ==, 3);
    g_assert_true(parsed.authentic);
    g_assert_true(parsed.truncated);
    g_assert_cmpstr(parsed.soa, ==, "b");
}

static void
refuses_what_is_no_answer_to_the_question(void)
{
    g_autoptr(GByteArray) query = packet_of(0x0100, 0, 0, HP_DNS_A);
    g_autoptr(GByteArray) other = packet_of(0x8180, 0, 0, HP_DNS_MX);
    g_autoptr(GByteArray) whole = packet_of(0x8180, 1, 0, HP_DNS_A);
    g_auto(HpDnsParsed) parsed = { 0 };

    g_assert_false(parse(query, HP_DNS_A, &parsed));
    g_assert_false(parse(other, HP_DNS_A, &parsed));
    g_assert_null(parsed.records);
    add(whole, OFFSET_A, HP_DNS_A, "\1\2\3\4", 4);
    /* Cut anywhere, it is refused. */
    for (guint len = 0; len < whole->len; len++) {
        g_autofree char *exact = g_memdup2(whole->data, MAX(len, 1));

        g_assert_false(hp_dns_parse((HpSlice){ exact, len }, "a.b", HP_DNS_A, &parsed));
    }
    g_assert_true(parse(whole, HP_DNS_A, &parsed));
}

static void
keeps_twenty_mx(void)
{
    g_autoptr(GByteArray) packet = packet_of(0x8180, 200, 0, HP_DNS_MX);
    g_auto(HpDnsParsed) parsed = { 0 };

    for (guint i = 0; i < 200; i++)
        add(packet, OFFSET_A, HP_DNS_MX, "\0\12\300\14", 4);
    g_assert_true(parse(packet, HP_DNS_MX, &parsed));
    g_assert_cmpuint(parsed.records->len, ==, 20);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns-parse/reads-each-type", reads_each_type);
    g_test_add_func("/dns-parse/leaves-out-what-does-not-fill-its-length",
                    leaves_out_what_does_not_fill_its_length);
    g_test_add_func("/dns-parse/pointers-only-lead-backwards",
                    pointers_only_lead_backwards);
    g_test_add_func("/dns-parse/follows-aliases-in-any-order",
                    follows_aliases_in_any_order);
    g_test_add_func("/dns-parse/records-of-other-names-are-not-believed",
                    records_of_other_names_are_not_believed);
    g_test_add_func("/dns-parse/tells-the-flags-and-the-soa",
                    tells_the_flags_and_the_soa);
    g_test_add_func("/dns-parse/refuses-what-is-no-answer-to-the-question",
                    refuses_what_is_no_answer_to_the_question);
    g_test_add_func("/dns-parse/keeps-twenty-mx", keeps_twenty_mx);
    return g_test_run();
}
