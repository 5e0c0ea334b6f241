#include "fake-daemon.h"

#include <fcntl.h>
#include <stdlib.h>

static void
check_refusal(const char *line, HpExit exit, const char *sentence, const char *next)
{
    g_auto(FakeResult) r = fake_run(line);
    g_autofree char *want = g_strdup_printf("hauspost: %s\n→ %s\n", sentence, next);

    g_assert_cmpstr(r.err, ==, want);
    g_assert_cmpint(r.exit, ==, exit);
    g_assert_cmpstr(r.out, ==, "");
}

static void
check_output(const char *line, const char *out)
{
    g_auto(FakeResult) r = fake_run(line);

    g_assert_cmpstr(r.out, ==, out);
    g_assert_cmpint(r.exit, ==, HP_EXIT_OK);
}

static void
names_the_nearest_command(void)
{
    check_refusal("statsu", HP_EXIT_USAGE,
                  "there is no command statsu; did you mean status?", "hauspost help");
    check_refusal("elephant", HP_EXIT_USAGE, "there is no command elephant",
                  "hauspost help");
    check_refusal("queue lst", HP_EXIT_USAGE,
                  "there is no command queue lst; did you mean queue list?",
                  "hauspost help queue");
    check_refusal("foo", HP_EXIT_USAGE, "there is no command foo", "hauspost help");
    check_refusal("cert", HP_EXIT_USAGE, "cert needs one of these words after it: show",
                  "hauspost help cert");
    check_refusal("queue list --jsno", HP_EXIT_USAGE,
                  "there is no option --jsno here; did you mean --json?",
                  "hauspost help queue list");
    check_refusal("queue show", HP_EXIT_USAGE,
                  "something is missing: hauspost queue show ID [--json]",
                  "hauspost help queue show");
    check_refusal("cert show x", HP_EXIT_USAGE,
                  "there are too many words: hauspost cert show [--pem] [--json]",
                  "hauspost help cert show");
}

static void
helps_with_what_it_lists(void)
{
    g_auto(FakeResult) all = fake_run("help");
    g_auto(FakeResult) sendmail = fake_run("help sendmail");
    g_auto(FakeResult) mailq = fake_run("help mailq");

    g_assert_nonnull(strstr(all.out, "sendmail, mailq"));
    g_assert_true(g_str_has_prefix(sendmail.out, "usage: hauspost sendmail [-t] "));
    g_assert_true(g_str_has_prefix(mailq.out, "usage: hauspost mailq\n"));
    check_refusal("help queue lst", HP_EXIT_USAGE,
                  "there is no command queue lst; did you mean queue list?",
                  "hauspost help queue");
    check_refusal(
        "help queue elephant", HP_EXIT_USAGE,
        "queue needs one of these words after it: list, show, log, retry, hold, "
        "release, cancel, export, summary",
        "hauspost help queue");
    check_refusal("help status now", HP_EXIT_USAGE, "there is no command status now",
                  "hauspost help");
}

static void
has_no_command_twice_and_help_for_each(void)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const HpCommand *const *families = hp_command_families();

    for (guint f = 0; families[f] != NULL; f++) {
        for (const HpCommand *c = families[f]; c->noun != NULL; c++) {
            g_autofree char *words =
                g_strconcat(c->noun, " ", c->verb != NULL ? c->verb : "", NULL);
            g_autofree char *help = g_strconcat(words, " --help", NULL);
            g_auto(FakeResult) r = { 0 };

            g_assert_nonnull(c->about);
            g_assert_true(hp_command_find(c->noun, c->verb) == c);
            g_assert_true(g_hash_table_add(seen, g_steal_pointer(&words)));
            if (c->flags & HP_COMMAND_RAW)
                continue;
            r = fake_run(help);
            g_assert_cmpint(r.exit, ==, HP_EXIT_OK);
            g_assert_true(g_str_has_prefix(r.out, "usage: hauspost "));
        }
    }
}

/* Those that change something, or print for a person or a pipe alone. */
static gboolean
only_reads(const HpCommand *c)
{
    static const char *const others[] = {
        "pause",
        "resume",
        "queue retry",
        "queue hold",
        "queue cancel",
        "queue release",
        "queue export",
        "setup",
        "identity add",
        "identity remove",
        "identity default",
        "password new",
        "config set",
        "password revoke",
        "password rotate",
        "config unset",
        "config edit",
        "log",
        "mailbox create",
        "mailbox delete",
        "mailbox rename",
        "help",
        NULL,
    };
    g_autofree char *words =
        g_strconcat(c->noun, c->verb != NULL ? " " : "", c->verb, NULL);

    return (c->flags & (HP_COMMAND_HIDDEN | HP_COMMAND_RAW)) == 0 &&
           !g_strv_contains(others, words);
}

static void
has_json_for_every_read_command(void)
{
    const HpCommand *const *families = hp_command_families();

    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (only_reads(c)) {
                g_test_message("%s %s", c->noun, c->verb != NULL ? c->verb : "");
                g_assert_cmpuint(c->flags & HP_COMMAND_JSON, !=, 0);
                g_assert_nonnull(strstr(c->args, "--json"));
            }
}

static void
says_how_to_start_the_daemon(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) done = { 0 };

    check_refusal("queue list", HP_EXIT_NO_DAEMON, "Hauspost has not been set up yet.",
                  "hauspost setup");
    done = fake_run("config set account.address anna@example.org");
    g_assert_cmpint(done.exit, ==, HP_EXIT_OK);
    check_refusal("queue list", HP_EXIT_NO_DAEMON, "the mail server is not running",
                  "hauspostd &");
    fake_end(&home);
}

static void
shows_the_queue(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) json = { 0 };

    g_setenv("TZ", "UTC", TRUE);
    fake_start(&home);
    check_output("queue list",
                 "ID      STATE    TO                   NEXT TRY  TRIES  SIZE  WHY\n"
                 "7Q2KXM  waiting  bob@example.com (2)  now           2  12 K  451 4.7.1 "
                 "Normal, will be accepted later.\n");
    check_output(
        "queue list --plain",
        "7Q2KXM\twaiting\tbob@example.com (2)\t2020-01-02T13:00:00Z\t2\t12288\t451 "
        "4.7.1 Normal, will be accepted later.\n");
    check_output("queue list --to nobody.example", "");
    check_output("queue summary", "2 messages to 3 recipients, 2.0 K\n"
                                  "  held: 1\n"
                                  "  offline: 2\n"
                                  "  a.example: 2, next try when online  No connection.\n"
                                  "  b.example: 1\n");
    json = fake_run("queue list --json");
    g_assert_true(g_str_has_prefix(
        json.out, "{\"schema\":\"hauspost.queue/1\",\"messages\":[{\"id\":\"7Q2KXM\""));
    fake_end(&home);
}

static void
passes_on_what_the_daemon_refuses(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check_refusal("queue show ZZZZ", HP_EXIT_NOT_FOUND, "there is no message ZZZZ",
                  "hauspost queue list");
    check_refusal("queue retry 7Q", HP_EXIT_REFUSED, "7Q is held",
                  "hauspost queue release 7Q");
    check_refusal("queue retry", HP_EXIT_USAGE,
                  "which messages? Give ids, --to DOMAIN or --all",
                  "hauspost queue retry --all");
    check_refusal("pause --for 1h", HP_EXIT_TEMPORARY, "until 1", "hauspost status");
    check_refusal("pause --for 1h --until 18:00", HP_EXIT_USAGE,
                  "--for and --until do not go together; give one of them",
                  "hauspost pause --for 1h");
    check_refusal("pause --for ever", HP_EXIT_USAGE,
                  "ever is not a time in the future, such as 1h or 18:00",
                  "hauspost pause --for 1h");
    fake_end(&home);
}

static void
asks_before_it_destroys(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) yes = { 0 };

    fake_start(&home);
    check_refusal("queue cancel 7Q", HP_EXIT_NEEDS_ANSWER,
                  "Give up 1 message for good? There is no terminal to answer on.",
                  "hauspost queue cancel --yes …");
    yes = fake_run("queue cancel -y 7Q 8R");
    g_assert_cmpint(yes.exit, ==, HP_EXIT_OK);
    g_assert_cmpstr(yes.err, ==, "Given up for 2 recipients.\n");
    fake_end(&home);
}

static void
prints_a_new_password_alone(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check_output("password new thunderbird", "abcd-efgh-1234\n");
    check_refusal("password new taken", HP_EXIT_USAGE, "this name cannot be taken",
                  "hauspost password rotate taken");
    check_refusal("password new Not_one", HP_EXIT_USAGE, "this name cannot be taken",
                  "hauspost password new thunderbird");
    fake_end(&home);
}

static void
checks_the_status(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) r = { 0 };

    fake_start(&home);
    r = fake_run("status --check");
    g_assert_cmpint(r.exit, ==, HP_EXIT_PROBLEMS);
    g_assert_cmpstr(r.out, ==,
                    "● Hauspost 9.9   running · online\n"
                    "  Account     anna@example.org (+2 identities)\n"
                    "  Local       SMTP 127.0.0.1:10587 · POP3 127.0.0.1:10110\n"
                    "  Clients     Thunderbird 140.0 (laptop, imap), fetch (pop3)\n"
                    "  Queue       1 waiting · 2 held\n"
                    "  Today       0 delivered · 0 refused · 0 expired\n"
                    "  Attention   1 message was refused → hauspost queue show 7Q2K\n");
    fake_end(&home);
}

/* It says @err to the person and prints nothing. */
static void
check_hint(const char *line, const char *err)
{
    g_auto(FakeResult) r = fake_run(line);

    g_assert_cmpint(r.exit, ==, HP_EXIT_OK);
    g_assert_cmpstr(r.err, ==, err);
    g_assert_cmpstr(r.out, ==, "");
}

static void
changes_settings_without_a_daemon(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) set = fake_run("config set listen.smtp 2525");
    g_auto(FakeResult) unset = { 0 };

    g_assert_cmpint(set.exit, ==, HP_EXIT_OK);
    check_hint("config set account.address anna@example.org", "");
    check_output("config get listen.smtp", "2525\n");
    check_refusal("config set listen.smtp 99999", HP_EXIT_USAGE,
                  "smtp must be a number from 0 to 65535, not \"99999\"",
                  "hauspost config describe");
    check_refusal("config get listen.smpt", HP_EXIT_NOT_FOUND,
                  "there is no setting listen.smpt; did you mean listen.smtp?",
                  "hauspost config list");
    check_output(
        "config describe listen.smtp --json",
        "{\"schema\":\"hauspost.descriptions/1\",\"settings\":[{\"in_use\":true,"
        "\"at_start\":true,\"key\":\"listen.smtp\",\"default\":\"10587\",\"about\":"
        "\"Port on this computer for sending (SMTP with STARTTLS); 0 is off.\","
        "\"value\":\"a number from 0 to 65535\"}]}\n");
    check_output(
        "config validate --json",
        "{\"schema\":\"hauspost.validation/1\",\"valid\":true,\"problems\":[]}\n");
    unset = fake_run("config unset listen.smtp");
    g_assert_cmpint(unset.exit, ==, HP_EXIT_OK);
    check_output("config get listen.smtp", "10587\n");
    fake_end(&home);
}

static char *
settings_path(void)
{
    return g_build_filename(g_getenv("XDG_CONFIG_HOME"), "hauspost", "hauspost.conf",
                            NULL);
}

static void
refuses_settings_with_which_no_server_starts(void)
{
    FakeHome home = fake_home();
    g_autofree char *path = settings_path();
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    check_hint("config set account.address anna@example.org", "");
    check_hint("identity add anna@work.example", "anna@work.example is yours now.\n");
    g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
    check_refusal("identity add foo@@bar", HP_EXIT_USAGE,
                  "address must be an address such as anna@example.org, or "
                  "*@example.org: \"foo@@bar\"",
                  "hauspost identity add anna@example.org");
    check_refusal("config set identity.x.name q", HP_EXIT_USAGE,
                  "[identity x] needs an address", "hauspost config describe");
    check_refusal("config unset account.address", HP_EXIT_USAGE,
                  "[account] needs an address; it can be changed, but not left out",
                  "hauspost config describe");
    check_refusal("config set mail.local-addresses @@", HP_EXIT_USAGE,
                  "local-addresses must be addresses or names before an @: \"@@\"",
                  "hauspost config describe");
    check_refusal("config set dns.servers foo:bar:1", HP_EXIT_USAGE,
                  "servers must be addresses of name servers such as 192.0.2.1 or "
                  "[2001:db8::1]:53: \"foo:bar:1\"",
                  "hauspost config describe");
    check_refusal("config set listen.pop3 10587", HP_EXIT_USAGE,
                  "smtp and pop3 cannot both have port 10587",
                  "hauspost config describe");
    check_refusal("config set account.language fr", HP_EXIT_USAGE,
                  "language must be a language that Hauspost speaks: en or de: \"fr\"",
                  "hauspost config describe");
    check_refusal("setup --non-interactive --address anna@@x", HP_EXIT_USAGE,
                  "address must be an address such as anna@example.org: \"anna@@x\"",
                  "hauspost setup --address anna@example.org --name Anna");
    check_refusal("setup --non-interactive --language fr", HP_EXIT_USAGE,
                  "language must be a language that Hauspost speaks: en or de: \"fr\"",
                  "hauspost setup --address anna@example.org --name Anna");
    g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
    g_assert_cmpstr(after, ==, before);
    fake_end(&home);
}

/* With @text as the settings, @line fails so; @problems: of "FILE:line: …", where FILE
 * stands for the path. */
static void
check_problems(const char *text, const char *line, HpExit exit, const char *problems)
{
    g_autofree char *path = settings_path();
    g_auto(GStrv) parts = g_strsplit(problems, "FILE", -1);
    g_autofree char *want = g_strjoinv(path, parts);
    g_auto(FakeResult) r = { 0 };

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    r = fake_run(line);
    g_assert_cmpstr(r.err, ==, want);
    g_assert_cmpint(r.exit, ==, exit);
}

static void
names_the_line_of_what_is_wrong_in_the_file(void)
{
    static const char port[] = "[account]\naddress=a@b.c\n[listen]\nsmtp=1\nimap=1\n";
    static const char said[] = "FILE:5: smtp and imap cannot both have port 1\n"
                               "→ hauspost config edit\n";
    FakeHome home = fake_home();

    check_hint("config set account.address anna@example.org", "");
    check_problems(port, "config validate", HP_EXIT_PROBLEMS, said);
    check_problems(port, "config set account.name Anna", HP_EXIT_PROBLEMS, said);
    check_problems(port, "identity add a@d.e", HP_EXIT_PROBLEMS, said);
    check_problems("[account]\n", "config validate", HP_EXIT_PROBLEMS,
                   "FILE:1: [account] has no address: Hauspost does not know yet whose "
                   "mail this is\n→ hauspost setup\n");
    check_problems("[account]\naddress=anna@@x\n", "status", HP_EXIT_NO_DAEMON,
                   "hauspost: the mail server is not running; it does not start with "
                   "these settings:\n"
                   "FILE:2: address must be an address such as anna@example.org: "
                   "\"anna@@x\"\n→ hauspost config edit\n");
    check_hint("config set account.address anna@example.org", ""); /* it heals */
    check_hint("config validate", "The settings are fine.\n");
    fake_end(&home);
}

static void
says_what_a_change_does_not_do_yet(void)
{
    FakeHome home = fake_home();

    check_hint("config set account.address anna@example.org", "");
    check_hint("config set limits.recipients-per-day 5",
               "limits.recipients-per-day is written down, but nothing acts on it "
               "yet.\n");
    check_hint("config set listen.imap 20143", "");
    fake_start(&home);
    check_hint("config set listen.imap 20144",
               "The mail server takes this at its next start.\n");
    check_hint("config set listen.plaintext no", "");
    fake_end(&home);
}

static void
knows_what_is_not_there(void)
{
    FakeHome home = fake_home();

    check_refusal("config get identity.nope.address", HP_EXIT_NOT_FOUND,
                  "there is no section [identity nope]", "hauspost config list");
    check_refusal("config get nope.x", HP_EXIT_NOT_FOUND, "there is no setting nope.x",
                  "hauspost config list");
    check_refusal("config describe foo", HP_EXIT_NOT_FOUND, "there is no setting foo",
                  "hauspost config list");
    check_refusal("config edit", HP_EXIT_NEEDS_ANSWER, "an editor needs a terminal",
                  "hauspost config set KEY VALUE");
    fake_end(&home);
}

static void
keeps_identities(void)
{
    FakeHome home = fake_home();
    static const char *const lines[] = {
        "config set account.address anna@example.org",
        "identity add a@work.example",
        "identity add shop --address *@shop.example --name Shop",
        "identity check x@shop.example",
        "identity default a@work.example",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(FakeResult) r = fake_run(lines[i]);

        g_assert_cmpint(r.exit, ==, HP_EXIT_OK);
    }
    check_output("identity list --plain",
                 "a@work.example\t\tdefault\nanna@example.org\t\ta\n"
                 "*@shop.example\tShop\tshop\n");
    check_output("identity check x@shop.example --json",
                 "{\"schema\":\"hauspost.sender/1\",\"address\":\"x@shop.example\","
                 "\"taken\":true}\n");
    check_output("identity remove shop", "");
    check_refusal("identity remove a@work.example", HP_EXIT_REFUSED,
                  "a@work.example is the default address; make another one the default "
                  "first",
                  "hauspost identity default OTHER");
    check_refusal("identity check x@shop.example", HP_EXIT_NOT_FOUND,
                  "mail from x@shop.example would be refused: it is not one of your "
                  "addresses",
                  "hauspost identity add x@shop.example");
    fake_end(&home);
}

static void
needs_an_address_to_set_up(void)
{
    FakeHome home = fake_home();

    check_refusal(
        "setup --non-interactive", HP_EXIT_NEEDS_ANSWER, "your mail address is needed",
        "hauspost setup --non-interactive --address anna@example.org --name Anna");
    check_refusal("setup --address anna", HP_EXIT_USAGE,
                  "address must be an address such as anna@example.org: \"anna\"",
                  "hauspost setup --address anna@example.org --name Anna");
    fake_end(&home);
}

/* Runs it at a terminal at which @typed was typed. */
static FakeResult
run_typing(const char *line, const char *typed)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    FakeResult result;

    g_assert_cmpint(grantpt(terminal), ==, 0);
    g_assert_cmpint(unlockpt(terminal), ==, 0);
    g_assert_cmpint(write(terminal, typed, strlen(typed)), ==, (int)strlen(typed));
    result = fake_run_from(fdopen(open(ptsname(terminal), O_RDWR | O_NOCTTY), "r"), line);
    close(terminal);
    return result;
}

static void
asks_again_for_what_was_mistyped(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) r = { 0 };

    fake_start(&home);
    r = run_typing("setup", "anna\nanna@@x\nanna@example.org\nAnna\n");
    g_assert_cmpint(r.exit, ==, HP_EXIT_OK);
    g_assert_true(g_str_has_prefix(
        r.err, "Your mail address: address must be an address such as anna@example.org: "
               "\"anna\"\n"
               "Your mail address: address must be an address such as anna@example.org: "
               "\"anna@@x\"\n"
               "Your mail address: Your name, as others shall see it"));
    check_output("config get account.address", "anna@example.org\n");
    check_output("config get account.name", "Anna\n");
    fake_end(&home);
}

static void
explains_codes_without_a_daemon(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) code = fake_run("explain 550 5.1.1");
    g_auto(FakeResult) json = fake_run("explain --json 5.7.1");
    g_auto(FakeResult) name = fake_run("explain no-25");

    g_assert_cmpint(code.exit, ==, HP_EXIT_OK);
    g_assert_true(g_str_has_prefix(code.out, "550 5.1.1\nWhat it means     "));
    g_assert_true(g_str_has_prefix(
        json.out, "{\"schema\":\"hauspost.explanation/1\",\"code\":\"5.7.1\","));
    g_assert_cmpint(name.exit, ==, HP_EXIT_OK);
    g_assert_nonnull(strstr(name.out, "port 25"));
    check_refusal("explain 7Q2KXM", HP_EXIT_NO_DAEMON,
                  "Hauspost has not been set up yet.", "hauspost setup");
    fake_end(&home);
}

static void
completes_words(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check_output("__complete -- cert", "show\n");
    check_output("__complete -- queue show", "7Q2KXM\n");
    fake_end(&home);
}

int
main(int argc, char **argv)
{
    fake_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/command/names-the-nearest-command", names_the_nearest_command);
    g_test_add_func("/command/has-no-command-twice-and-help-for-each",
                    has_no_command_twice_and_help_for_each);
    g_test_add_func("/command/has-json-for-every-read-command",
                    has_json_for_every_read_command);
    g_test_add_func("/command/says-how-to-start-the-daemon",
                    says_how_to_start_the_daemon);
    g_test_add_func("/command/shows-the-queue", shows_the_queue);
    g_test_add_func("/command/passes-on-what-the-daemon-refuses",
                    passes_on_what_the_daemon_refuses);
    g_test_add_func("/command/asks-before-it-destroys", asks_before_it_destroys);
    g_test_add_func("/command/prints-a-new-password-alone", prints_a_new_password_alone);
    g_test_add_func("/command/checks-the-status", checks_the_status);
    g_test_add_func("/command/changes-settings-without-a-daemon",
                    changes_settings_without_a_daemon);
    g_test_add_func("/command/refuses-settings-with-which-no-server-starts",
                    refuses_settings_with_which_no_server_starts);
    g_test_add_func("/command/names-the-line-of-what-is-wrong-in-the-file",
                    names_the_line_of_what_is_wrong_in_the_file);
    g_test_add_func("/command/says-what-a-change-does-not-do-yet",
                    says_what_a_change_does_not_do_yet);
    g_test_add_func("/command/knows-what-is-not-there", knows_what_is_not_there);
    g_test_add_func("/command/helps-with-what-it-lists", helps_with_what_it_lists);
    g_test_add_func("/command/keeps-identities", keeps_identities);
    g_test_add_func("/command/needs-an-address-to-set-up", needs_an_address_to_set_up);
    g_test_add_func("/command/asks-again-for-what-was-mistyped",
                    asks_again_for_what_was_mistyped);
    g_test_add_func("/command/explains-codes-without-a-daemon",
                    explains_codes_without_a_daemon);
    g_test_add_func("/command/completes-words", completes_words);
    return g_test_run();
}
