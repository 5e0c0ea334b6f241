#include "hp-cli-message.h"

#include "hp-cli-dict.h"

#include <string.h>

static const char message[] =
    "{'id': <'7Q2KXM'>, 'from': <''>, 'subject': <'Rech\\nnung'>, 'size': <uint64 "
    "12288>, "
    "'submitted': <'2020-01-02T12:00:00Z'>, 'recipients': <[{'address': <'a@b.example'>, "
    "'state': <'delivered'>}, {'address': <'c@d.example'>, 'state': <'refused'>, "
    "'attempts': <uint32 1>, 'code': <'550 5.7.1'>, 'explanation': <'They refuse it.'>, "
    "'side': <'Yours.'>, 'advice': <'Ask.'>}, {'address': <'e@d.example'>, 'state': "
    "<'refused'>, 'explanation': <'They refuse it.'>, 'side': <'Yours.'>, 'advice': "
    "<'Ask.'>}, {'address': <'f@g.example'>, 'state': <'delivered'>, 'explanation': "
    "<'Taken over.'>}]>, 'story': <[{'time': "
    "<'2020-01-02T12:00:01Z'>, 'kind': <'looked_up'>, 'text': <'mx1'>}, {'time': "
    "<'2020-01-02T12:00:02Z'>, 'kind': <'connected'>, 'host': <'mx1'>, 'text': "
    "<'192.0.2.1'>}, {'time': <'2020-01-02T12:00:03Z'>, 'kind': <'said'>, 'host': "
    "<'mx1'>, 'recipient': <'c@d.example'>, 'text': <'550 \\u001b[31mno'>}, {'time': "
    "<'2020-01-02T12:00:04Z'>, 'kind': "
    "<'something_new'>, 'text': <'as it is'>}, {'time': <'2020-01-02T12:00:05Z'>, "
    "'kind': <'settled'>, 'recipient': <'c@d.example'>, 'text': <'refused'>}]>}";

static char *
print(void (*what)(HpCli *cli, GVariant *message))
{
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_parsed(message));
    char *text = g_malloc0(4000);
    FILE *out = fmemopen(text, 3999, "w");
    HpCli cli;

    hp_cli_init(&cli, stdin, out, stderr);
    what(&cli, value);
    hp_cli_clear(&cli);
    fclose(out);
    return text;
}

static void
tells_the_story_line_by_line(void)
{
    g_autofree char *text = print(hp_cli_print_story);

    g_assert_cmpstr(
        text, ==,
        "Message 7Q2KXM   \"Rech nung\"   from <>   12 K, written 2 Jan 12:00\n"
        "  2 Jan 12:00:01  found these mail servers: mx1\n"
        "  2 Jan 12:00:02  connected to mx1 [192.0.2.1]\n"
        "  2 Jan 12:00:03  mx1 said about c@d.example: 550 [31mno\n"
        "  2 Jan 12:00:04  as it is\n"
        "  2 Jan 12:00:05  c@d.example: refused\n"
        "To a@b.example   delivered\n"
        "To c@d.example   refused   550 5.7.1   after 1 try\n"
        "To e@d.example   refused\n"
        "To f@g.example   delivered\n"
        "\n"
        "About             c@d.example, e@d.example\n"
        "What it means     They refuse it.\n"
        "Whose side        Yours.\n"
        "What you can do → Ask.\n"
        "\n"
        "About             f@g.example\n"
        "What it means     Taken over.\n");
}

static void
shows_every_detail_of_events(void)
{
    g_autofree char *text = print(hp_cli_print_events);

    g_assert_nonnull(
        strstr(text, "2020-01-02T12:00:02Z\tconnected\t\t\tmx1\t192.0.2.1\n"));
}

static void
puts_the_recipient_in_front_that_needs_somebody(void)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_parsed(message));
    guint n = 0;
    g_autoptr(GVariant) r = hp_cli_telling_recipient(value, HP_CLI_QUEUE, NULL, &n);

    g_assert_cmpuint(n, ==, 4);
    g_assert_cmpstr(hp_dict_text(r, "address"), ==, "c@d.example");
    g_assert_cmpstr(hp_cli_state_word("something"), ==, "something");
}

/* A list of what was delivered must not show the one who was refused. */
static void
puts_the_recipient_in_front_that_was_asked_for(void)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_parsed(message));
    guint n = 0;
    g_autoptr(GVariant) r =
        hp_cli_telling_recipient(value, HP_CLI_QUEUE, "delivered", &n);

    g_assert_cmpstr(hp_dict_text(r, "address"), ==, "a@b.example");
}

/* What is still held says nothing about what became of the message. */
static void
tells_of_the_past_by_who_is_done(void)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_parsed(
        "{'recipients': <[{'address': <'a'>, 'state': <'held'>}, {'address': <'b'>, "
        "'state': <'delivered'>}]>}"));
    guint n = 0;
    g_autoptr(GVariant) now = hp_cli_telling_recipient(value, HP_CLI_QUEUE, NULL, &n);
    g_autoptr(GVariant) past = hp_cli_telling_recipient(value, HP_CLI_HISTORY, NULL, &n);

    g_assert_cmpstr(hp_dict_text(now, "address"), ==, "a");
    g_assert_cmpstr(hp_dict_text(past, "address"), ==, "b");
}

/* "You gave it up" must not stand behind what a server said long before. */
static void
says_no_reply_where_the_state_tells_more(void)
{
    g_autofree char *text = g_malloc0(2000);
    FILE *out = fmemopen(text, 1999, "w");
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_parsed(
        "{'id': <'7Q2KXM'>, 'recipients': <[{'address': <'a@b.example'>, 'state': "
        "<'held'>, 'code': <'451 4.4.3'>, 'explanation': <'You hold it.'>, 'advice': "
        "<'Let it go.'>, 'command': <'hauspost queue release 7Q2KXM'>}]>}"));
    GVariantBuilder list;
    HpCli cli;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_add_value(&list, value);
    hp_cli_init(&cli, stdin, out, stderr);
    cli.plain = TRUE;
    {
        g_autoptr(GVariant) all = g_variant_ref_sink(g_variant_builder_end(&list));

        hp_cli_print_messages(&cli, all, HP_CLI_QUEUE, NULL);
    }
    hp_cli_print_story(&cli, value);
    hp_cli_clear(&cli);
    fclose(out);
    g_assert_null(strstr(text, "451"));
    g_assert_nonnull(strstr(text, "\tYou hold it.\n"));
    g_assert_nonnull(strstr(text, "What you can do → Let it go.\n"
                                  "→ hauspost queue release 7Q2KXM\n"));
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-message/tells-the-story-line-by-line",
                    tells_the_story_line_by_line);
    g_test_add_func("/cli-message/shows-every-detail-of-events",
                    shows_every_detail_of_events);
    g_test_add_func("/cli-message/puts-the-recipient-in-front-that-needs-somebody",
                    puts_the_recipient_in_front_that_needs_somebody);
    g_test_add_func("/cli-message/puts-the-recipient-in-front-that-was-asked-for",
                    puts_the_recipient_in_front_that_was_asked_for);
    g_test_add_func("/cli-message/says-no-reply-where-the-state-tells-more",
                    says_no_reply_where_the_state_tells_more);
    g_test_add_func("/cli-message/tells-of-the-past-by-who-is-done",
                    tells_of_the_past_by_who_is_done);
    return g_test_run();
}
