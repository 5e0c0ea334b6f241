#include "hp-identities.h"

#include <gio/gio.h>

static HpIdentities *
example(void)
{
    static const char *const mine[] = { "anna@b\xC3\xBC"
                                        "cher.example",
                                        "*@anna.example", NULL };
    static const char *const local[] = { "backup@nas.example", "*@home.example", NULL };
    g_autoptr(GError) error = NULL;
    HpIdentities *self = hp_identities_new("Anna@example.org", mine, local, &error);

    g_assert_no_error(error);
    return self;
}

static void
allows_only_identities(void)
{
    static const struct {
        const char *address;
        gboolean allowed;
    } rows[] = {
        { "anna@EXAMPLE.org", TRUE },    { "anna@xn--bcher-kva.example", TRUE },
        { "shop-7@anna.example", TRUE }, { "shop-7@x.anna.example", FALSE },
        { "bob@example.org", FALSE },    { "anna", FALSE },
        { "anna@localhost", FALSE },     { "backup@nas.example", FALSE },
        { "*@anna.example", TRUE },      { "*@example.org", FALSE },
        { "not an address", FALSE },     { "", FALSE },
    };
    g_autoptr(HpIdentities) self = example();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].address);
        g_assert_cmpint(hp_identities_allows_text(self, hp_slice_of(rows[i].address)), ==,
                        rows[i].allowed);
    }
    g_assert_cmpstr(hp_identities_account(self), ==, "Anna@example.org");
}

static void
knows_and_completes_local_addresses(void)
{
    static const struct {
        const char *address;
        gboolean local;
        const char *sender;
        const char *recipient;
    } rows[] = {
        { "root", TRUE, "Anna@example.org", "root@laptop.example" },
        { "root@LOCALHOST", TRUE, "Anna@example.org", "root@LOCALHOST" },
        { "root@x.localhost", TRUE, "Anna@example.org", "root@x.localhost" },
        { "root@Laptop.example", TRUE, "Anna@example.org", "root@Laptop.example" },
        { "backup@nas.example", TRUE, "backup@nas.example", "backup@nas.example" },
        { "any@home.example", TRUE, "any@home.example", "any@home.example" },
        { "anna@example.org", FALSE, "anna@example.org", "anna@example.org" },
        { "root@notlocalhost", FALSE, "root@notlocalhost", "root@notlocalhost" },
    };
    g_autoptr(HpIdentities) self = example();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpAddress) address = hp_address_parse(hp_slice_of(rows[i].address));
        g_autofree char *sender =
            hp_identities_complete_sender(self, address, "laptop.example");
        g_autofree char *recipient =
            hp_identities_complete_recipient(self, address, "laptop.example");

        g_test_message("%s", rows[i].address);
        g_assert_cmpint(hp_identities_is_local(self, address, "laptop.example"), ==,
                        rows[i].local);
        g_assert_cmpstr(sender, ==, rows[i].sender);
        g_assert_cmpstr(recipient, ==, rows[i].recipient);
    }
}

static void
needs_no_hostname(void)
{
    g_autoptr(HpIdentities) self = example();
    g_autoptr(HpAddress) root = hp_address_parse(HP_SLICE_LITERAL("root"));
    g_autofree char *recipient = hp_identities_complete_recipient(self, root, NULL);

    g_assert_cmpstr(recipient, ==, "root@localhost");
    g_assert_true(hp_identities_is_local(self, root, NULL));
}

static void
names_what_is_not_an_address(void)
{
    static const char *const bad[] = { "anna@example.org", "no domain", NULL };
    static const char *const bare[] = { "anna", NULL };
    g_autoptr(GError) error = NULL;

    g_assert_null(hp_identities_new("a@example.org", bad, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_cmpstr(error->message, ==, "\"no domain\" is not a mail address");
    g_clear_error(&error);
    g_assert_null(hp_identities_new("a@example.org", bare, NULL, &error));
    g_clear_error(&error);
    g_assert_null(hp_identities_new("*@example.org", NULL, NULL, &error));
    g_assert_nonnull(error);
}

/* account, identity, local: what is taken for one is taken for those that follow. */
static void
says_beforehand_what_it_takes(void)
{
    static const struct {
        const char *text;
        guint first; /* 0: the account */
    } rows[] = {
        { "anna@example.org", 0 },
        { "*@example.org", 1 },
        { "root", 2 },
        { "anna@@x", 3 },
        { "@@", 3 },
        { "no domain", 3 },
        { "*@", 3 },
        { "", 3 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpSlice text = hp_slice_of(rows[i].text);

        g_test_message("%s", rows[i].text);
        g_assert_cmpint(hp_identities_takes_account(text), ==, rows[i].first == 0);
        g_assert_cmpint(hp_identities_takes_identity(text), ==, rows[i].first <= 1);
        g_assert_cmpint(hp_identities_takes_local(text), ==, rows[i].first <= 2);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/identities/allows-only-identities", allows_only_identities);
    g_test_add_func("/identities/knows-and-completes-local-addresses",
                    knows_and_completes_local_addresses);
    g_test_add_func("/identities/needs-no-hostname", needs_no_hostname);
    g_test_add_func("/identities/names-what-is-not-an-address",
                    names_what_is_not_an_address);
    g_test_add_func("/identities/says-beforehand-what-it-takes",
                    says_beforehand_what_it_takes);
    return g_test_run();
}
