#include "hp-cli-message.h"

#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-cli-table.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <string.h>

#define LONGEST_CODE    20 /* characters */
#define ADDRESSES_NAMED 5  /* of those of whom the same is to be said */

/* In the order in which they need attention. */
static const struct {
    const char *state;
    const char *word;
} states[] = {
    { "refused", N_("refused") },     { "expired", N_("expired") },
    { "held", N_("held") },           { "uncertain", N_("uncertain") },
    { "sending", N_("sending") },     { "paced", N_("paced") },
    { "waiting", N_("waiting") },     { "offline", N_("offline") },
    { "cancelled", N_("cancelled") }, { "delivered", N_("delivered") },
};

static guint
rank(const char *state)
{
    guint i = 0;

    while (i < G_N_ELEMENTS(states) && g_strcmp0(states[i].state, state) != 0)
        i++;
    return i;
}

const char *
hp_cli_state_word(const char *state)
{
    guint i = rank(state);

    if (i < G_N_ELEMENTS(states))
        return _(states[i].word);
    return state != NULL ? state : "–";
}

static gboolean
is_done(const char *state)
{
    static const char *const done[] = { "refused", "expired", "cancelled", "delivered",
                                        NULL };

    return state != NULL && g_strv_contains(done, state);
}

/* The lower, the more there is to be said of recipient @i. */
static guint
rank_in(GVariant *recipients, gsize i, HpCliView view, const char *wanted)
{
    g_autoptr(GVariant) recipient = g_variant_get_child_value(recipients, i);
    const char *state = hp_dict_text(recipient, "state");

    if (wanted != NULL && g_strcmp0(state, wanted) == 0)
        return 0;
    if (view == HP_CLI_HISTORY && !is_done(state))
        return G_MAXUINT;
    return 1 + rank(state);
}

GVariant *
hp_cli_telling_recipient(GVariant *message, HpCliView view, const char *state,
                         guint *ret_n)
{
    g_autoptr(GVariant) recipients = hp_dict_list(message, "recipients");
    guint n = (guint)g_variant_n_children(recipients);
    guint best = 0;

    *ret_n = n;
    if (n == 0)
        return NULL;
    for (guint i = 1; i < n; i++)
        if (rank_in(recipients, i, view, state) < rank_in(recipients, best, view, state))
            best = i;
    return g_variant_get_child_value(recipients, best);
}

static const char *
or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* The last reply, unless the state itself tells more of why it is so. */
static const char *
code_of(GVariant *recipient)
{
    static const char *const telling[] = { "held", "cancelled", "offline", NULL };
    const char *state = or_empty(hp_dict_text(recipient, "state"));

    return g_strv_contains(telling, state) ? ""
                                           : or_empty(hp_dict_text(recipient, "code"));
}

/* "451 4.7.1 greylisting: normal, …" */
static char *
why(GVariant *recipient)
{
    const char *code = code_of(recipient);
    const char *text = hp_dict_text(recipient, "explanation");

    if (text == NULL || text[0] == '\0')
        text = or_empty(hp_dict_text(recipient, "reply"));
    return g_strdup_printf("%s%s%s", code, code[0] != '\0' && text[0] != '\0' ? " " : "",
                           text);
}

static char *
next_try(GVariant *recipient, gint64 now_usec)
{
    const char *state = or_empty(hp_dict_text(recipient, "state"));
    const char *held = hp_dict_text(recipient, "held_until");

    if (g_str_equal(state, "offline"))
        return g_strdup(_("when online"));
    if (held != NULL && held[0] != '\0')
        return hp_format_until(held, now_usec);
    return hp_format_until(hp_dict_text(recipient, "next_attempt"), now_usec);
}

static void
add_number(HpCliTable *table, gint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

    hp_cli_table_add(table, text, NULL);
}

static void
add_size(HpCliTable *table, gint64 size)
{
    g_autofree char *shown = hp_format_size(size);
    g_autofree char *plain = g_strdup_printf("%" G_GINT64_FORMAT, size);

    hp_cli_table_add(table, shown, plain);
}

/* What a table of messages is about. */
typedef struct {
    HpCliView view;
    const char *state; /* (unowned) (nullable) */
    gint64 now_usec;
} About;

/* When it goes on, or when it was over. */
static void
add_when(HpCliTable *table, const About *about, GVariant *message, GVariant *recipient)
{
    gboolean queue = about->view == HP_CLI_QUEUE;
    const char *own = hp_dict_text(recipient, "finished");
    const char *end = own != NULL ? own : hp_dict_text(message, "finished");
    const char *plain = queue ? hp_dict_text(recipient, "next_attempt") : end;
    g_autofree char *shown = queue ? next_try(recipient, about->now_usec)
                                   : hp_format_time(end, about->now_usec);

    hp_cli_table_add(table, shown, or_empty(plain));
}

static void
add_message(HpCliTable *table, const About *about, GVariant *message)
{
    guint n;
    g_autoptr(GVariant) found =
        hp_cli_telling_recipient(message, about->view, about->state, &n);
    g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new("a{sv}", NULL));
    GVariant *r = found != NULL ? found : none;
    const char *address = or_empty(hp_dict_text(r, "address"));
    const char *state = or_empty(hp_dict_text(r, "state"));
    g_autofree char *to =
        n > 1 ? g_strdup_printf("%s (%u)", address, n) : g_strdup(address);
    g_autofree char *reason = why(r);

    hp_cli_table_add(table, or_empty(hp_dict_text(message, "id")), NULL);
    hp_cli_table_add(table, hp_cli_state_word(state), state);
    hp_cli_table_add(table, to, NULL);
    add_when(table, about, message, r);
    add_number(table, hp_dict_number(r, "attempts", 0));
    add_size(table, hp_dict_number(message, "size", 0));
    hp_cli_table_add(table, reason, NULL);
}

void
hp_cli_print_messages(HpCli *cli, GVariant *messages, HpCliView view, const char *state)
{
    gboolean queue = view == HP_CLI_QUEUE;
    const char *const titles[] = { _("ID"),     queue ? _("STATE") : _("RESULT"),
                                   _("TO"),     queue ? _("NEXT TRY") : _("FINISHED"),
                                   _(">TRIES"), _(">SIZE"),
                                   _("WHY"),    NULL };
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);
    About about = { view, state, hp_cli_now_usec(cli) };
    gsize n = g_variant_n_children(messages);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) message = g_variant_get_child_value(messages, i);

        add_message(table, &about, message);
    }
    if (cli->plain)
        hp_cli_table_print_plain(table, cli->out);
    else if (n > 0)
        hp_cli_table_print(table, cli->out, hp_cli_width(cli));
    else
        hp_cli_hint(cli, "%s",
                    queue ? _("Nothing is waiting.") : _("Nothing was found."));
}

/* --- stories --- */

static char *
printable(GVariant *dict, const char *key)
{
    return hp_text_printable(hp_slice_of(or_empty(hp_dict_text(dict, key))), 1000);
}

/* What happened, as a clause. */
static char *
tell(GVariant *event)
{
    static const struct {
        const char *kind;
        const char *clause; /* one %s: the text */
    } rows[] = {
        { "accepted", N_("taken from %s and kept safe") },
        { "looked_up", N_("found these mail servers: %s") },
        { "held", N_("held back %s") },
        { "released", N_("released %s") },
        { "retried", N_("made due again by hand %s") },
        { "cancelled", N_("given up by hand %s") },
        { "returned", N_("put a report into your INBOX %s") },
    };
    const char *kind = or_empty(hp_dict_text(event, "kind"));
    g_autofree char *host = printable(event, "host");
    g_autofree char *recipient = printable(event, "recipient");
    g_autofree char *text = printable(event, "text");

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_equal(rows[i].kind, kind))
            return g_strdup_printf(_(rows[i].clause), text);
    if (g_str_equal(kind, "connected"))
        return g_strdup_printf(_("connected to %s [%s]"), host, text);
    if (g_str_equal(kind, "secured"))
        return g_strdup_printf(_("encrypted: %s"), text);
    if (g_str_equal(kind, "said") && recipient[0] != '\0')
        return g_strdup_printf(_("%s said about %s: %s"), host, recipient, text);
    if (g_str_equal(kind, "said"))
        return g_strdup_printf(_("%s said: %s"), host, text);
    if (g_str_equal(kind, "settled"))
        return g_strdup_printf("%s: %s", recipient, hp_cli_state_word(text));
    return host[0] != '\0' ? g_strdup_printf("%s: %s", host, text) : g_strdup(text);
}

static void
print_event(HpCli *cli, GVariant *event)
{
    g_autofree char *when =
        hp_format_moment(hp_dict_text(event, "time"), hp_cli_now_usec(cli));
    g_autofree char *clause = tell(event);

    fprintf(cli->out, "  %s  %s\n", when, g_strchomp(clause));
}

static void
print_head(HpCli *cli, GVariant *message)
{
    g_autofree char *subject = printable(message, "subject");
    g_autofree char *from = printable(message, "from");
    g_autofree char *id = printable(message, "id");
    g_autofree char *size = hp_format_size(hp_dict_number(message, "size", 0));
    g_autofree char *written =
        hp_format_time(hp_dict_text(message, "submitted"), hp_cli_now_usec(cli));

    fprintf(cli->out, _("Message %s   \"%s\"   from %s   %s, written %s\n"), id, subject,
            from[0] != '\0' ? from : "<>", size, written);
}

static void
print_recipient(HpCli *cli, GVariant *recipient)
{
    g_autofree char *address = printable(recipient, "address");
    g_autofree char *code =
        hp_text_printable(hp_slice_of(code_of(recipient)), LONGEST_CODE);
    g_autofree char *next = next_try(recipient, hp_cli_now_usec(cli));
    gint64 tries = hp_dict_number(recipient, "attempts", 0);
    gboolean due = hp_dict_text(recipient, "next_attempt") != NULL;

    fprintf(cli->out, _("To %s   %s"), address,
            hp_cli_state_word(hp_dict_text(recipient, "state")));
    if (code[0] != '\0')
        fprintf(cli->out, "   %s", code);
    if (tries > 0)
        fprintf(cli->out, ngettext("   after %d try", "   after %d tries", (gulong)tries),
                (int)tries);
    if (due && strcmp(next, "–") != 0)
        fprintf(cli->out, _("   next try %s"), next);
    fputc('\n', cli->out);
}

/* Those of whom the same is to be said. */
typedef struct {
    GVariant *telling;    /* (owned): one of them */
    GPtrArray *addresses; /* (owned): printable */
} Meaning;

static void
meaning_free(gpointer data)
{
    Meaning *self = data;

    g_variant_unref(self->telling);
    g_ptr_array_unref(self->addresses);
    g_free(self);
}

static gboolean
means(const Meaning *self, GVariant *recipient)
{
    static const char *const keys[] = { "explanation", "side", "advice" };

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (g_strcmp0(hp_dict_text(self->telling, keys[i]),
                      hp_dict_text(recipient, keys[i])) != 0)
            return FALSE;
    return TRUE;
}

static Meaning *
meaning_of(GPtrArray *meanings, GVariant *recipient)
{
    Meaning *new_one;

    for (guint i = 0; i < meanings->len; i++)
        if (means(meanings->pdata[i], recipient))
            return meanings->pdata[i];
    new_one = g_new0(Meaning, 1);
    new_one->telling = g_variant_ref(recipient);
    new_one->addresses = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(meanings, new_one);
    return new_one;
}

/* Each meaning once, in the order of the recipients. */
static GPtrArray *
meanings_of(GVariant *recipients)
{
    GPtrArray *meanings = g_ptr_array_new_with_free_func(meaning_free);

    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) r = g_variant_get_child_value(recipients, i);

        if (or_empty(hp_dict_text(r, "explanation"))[0] != '\0')
            g_ptr_array_add(meaning_of(meanings, r)->addresses, printable(r, "address"));
    }
    return meanings;
}

/* Of 100 recipients that fared alike the first few are enough; all stand above. */
static void
print_whom(HpCli *cli, const GPtrArray *addresses)
{
    guint n = MIN(addresses->len, ADDRESSES_NAMED);

    fputs(_("About             "), cli->out);
    for (guint i = 0; i < n; i++)
        fprintf(cli->out, "%s%s", i > 0 ? ", " : "", (char *)addresses->pdata[i]);
    if (addresses->len > n)
        fprintf(cli->out,
                ngettext(" and %u more", " and %u more", (gulong)(addresses->len - n)),
                addresses->len - n);
    fputc('\n', cli->out);
}

/* The three sentences. */
static void
print_meaning(HpCli *cli, GVariant *recipient)
{
    g_autofree char *meaning = printable(recipient, "explanation");
    g_autofree char *side = printable(recipient, "side");
    g_autofree char *advice = printable(recipient, "advice");
    g_autofree char *command = printable(recipient, "command");

    fprintf(cli->out, _("What it means     %s\n"), meaning);
    if (side[0] != '\0')
        fprintf(cli->out, _("Whose side        %s\n"), side);
    if (advice[0] != '\0')
        fprintf(cli->out, _("What you can do → %s\n"), advice);
    if (command[0] != '\0')
        fprintf(cli->out, "→ %s\n", command);
}

/* With several recipients each meaning says whom it is about. */
static void
print_meanings(HpCli *cli, GVariant *recipients)
{
    g_autoptr(GPtrArray) meanings = meanings_of(recipients);
    gboolean several = g_variant_n_children(recipients) > 1;

    for (guint i = 0; i < meanings->len; i++) {
        const Meaning *meaning = meanings->pdata[i];

        if (several) {
            fputc('\n', cli->out);
            print_whom(cli, meaning->addresses);
        }
        print_meaning(cli, meaning->telling);
    }
}

static void
for_each(GVariant *list, HpCli *cli, void (*print)(HpCli *cli, GVariant *item))
{
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);

        print(cli, item);
    }
}

void
hp_cli_print_story(HpCli *cli, GVariant *message)
{
    g_autoptr(GVariant) recipients = hp_dict_list(message, "recipients");
    g_autoptr(GVariant) story = hp_dict_list(message, "story");

    print_head(cli, message);
    for_each(story, cli, print_event);
    for_each(recipients, cli, print_recipient);
    print_meanings(cli, recipients);
}

static void
print_raw_event(HpCli *cli, GVariant *event)
{
    static const char *const keys[] = { "time",      "kind", "stage",
                                        "recipient", "host", "text" };
    g_autoptr(GString) line = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = printable(event, keys[i]);

        g_string_append_printf(line, "%s%s", i > 0 ? "\t" : "", value);
    }
    fprintf(cli->out, "%s\n", line->str);
}

void
hp_cli_print_events(HpCli *cli, GVariant *message)
{
    g_autoptr(GVariant) story = hp_dict_list(message, "story");

    for_each(story, cli, print_raw_event);
}
