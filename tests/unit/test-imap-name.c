#include "hp-imap-name.h"

static const struct {
    const char *utf8; /* (unowned) */
    const char *wire; /* (unowned) */
} names[] = {
    { "INBOX", "INBOX" },
    { "a&b", "a&-b" },
    { "Entw\xC3\xBCrfe", "Entw&APw-rfe" },
    { "\xC3\xA4\xC3\xB6\xC3\xBC", "&AOQA9gD8-" },
    /* RFC 3501 §5.1.3 */
    { "~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
      "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
    { "\xF0\x9F\x93\xAC!", "&2D3c7A-!" },
    { "", "" },
};

static void
test_round_trip(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *wire = hp_imap_name_encode(names[i].utf8);
        g_autofree char *utf8 = hp_imap_name_decode(names[i].wire);

        g_assert_cmpstr(wire, ==, names[i].wire);
        g_assert_cmpstr(utf8, ==, names[i].utf8);
    }
}

static void
test_refuses(void)
{
    static const char *const bad[] = {
        "&",          "&AOQ",       "a&AOQ b-", "&AO-",   "&AOR-", /* bits left over */
        "&AGE-",                                                   /* "a" */
        "&AAA-",                                                   /* NUL */
        "&2D0-",      "&3Kw-",      "&2D3YPQ-",                    /* halves */
        "&AOQ-&APY-",                                              /* one would do */
        "&A/Q-",      "&AOQAAAAA-", "\xC3",     "&AOQA-",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *utf8 = hp_imap_name_decode(bad[i]);

        g_assert_null(utf8);
    }
}

static void
test_lenient(void)
{
    g_autofree char *utf8 = hp_imap_name_decode("\xC3\xA4&AOQ-");

    g_assert_cmpstr(utf8, ==, "\xC3\xA4\xC3\xA4");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-name/goes-out-and-comes-back", test_round_trip);
    g_test_add_func("/imap-name/refuses-what-is-not-well-formed", test_refuses);
    g_test_add_func("/imap-name/takes-utf8-unasked", test_lenient);
    return g_test_run();
}
