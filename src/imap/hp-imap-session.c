#include "hp-imap-notify-private.h"

#include "hp-build.h"
#include "hp-log.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define LOGIN_USEC          ((gint64)60 * G_USEC_PER_SEC)
#define ANSWER_USEC         ((gint64)10 * 60 * G_USEC_PER_SEC)
#define FAREWELL_USEC       ((gint64)G_USEC_PER_SEC)
#define BUDGET_BEFORE_LOGIN ((size_t)256 * 1024) /* octets: some logins, no more */
#define MAX_ID_PAIRS        30                   /* RFC 2971 §3.3 */
#define MAX_PROGRAM         80 /* characters of what a client says it is */
#define TLS_HANDSHAKE       0x16 /* first octet of a client that begins TLS, RFC 8446 §5.1 */

#define INSIDE (HP_IMAP_LOGGED_IN | HP_IMAP_SELECTED)
#define ANY    (HP_IMAP_FRESH | INSIDE)

gboolean
hp_imap_may_login(const HpImapSession *s)
{
    return s->options->plaintext_allowed || hp_channel_is_tls(s->channel);
}

/* What is announced is complete; what is not complete is not announced. */
#define CAPABILITIES_INSIDE                                                              \
    " LITERAL+ ENABLE CONDSTORE QRESYNC IDLE MOVE UIDPLUS UNSELECT NAMESPACE CHILDREN"   \
    " LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE MULTIAPPEND"  \
    " QUOTA QUOTA=RES-STORAGE OBJECTID PREVIEW SAVEDATE INPROGRESS UTF8=ACCEPT ESEARCH"  \
    " SEARCHRES WITHIN SORT SORT=DISPLAY ESORT THREAD=REFERENCES THREAD=ORDEREDSUBJECT"  \
    " METADATA LIST-METADATA"                                                            \
    " I18NLEVEL=1 MULTISEARCH NOTIFY PARTIAL REPLACE BINARY UIDONLY"

char *
hp_imap_capabilities(const HpImapSession *s)
{
    GString *list = g_string_new("IMAP4rev1 IMAP4rev2 ID SASL-IR");

    if (s->state != HP_IMAP_FRESH) {
        g_string_append(list, CAPABILITIES_INSIDE);
        g_string_append_printf(list, " APPENDLIMIT=%" G_GUINT64_FORMAT,
                               s->options->max_message_size);
        return g_string_free(list, FALSE);
    }
    g_string_append(list, " LITERAL-");
    if (s->options->tls != NULL && !hp_channel_is_tls(s->channel))
        g_string_append(list, " STARTTLS");
    if (hp_imap_may_login(s))
        g_string_append(list, " AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-256");
    else
        g_string_append(list, " LOGINDISABLED");
    return g_string_free(list, FALSE);
}

/* --- commands in every state ---------------------------------------------------------
 */

static gboolean
cmd_capability(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *list = hp_imap_capabilities(s);

    if (!hp_imap_take_end(args))
        return FALSE;
    hp_imap_untagged(s, "CAPABILITY %s", list);
    hp_imap_ok(s, NULL, _("This is what Hauspost can do."));
    return TRUE;
}

static gboolean
cmd_noop(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    if (!hp_imap_take_end(args))
        return FALSE;
    hp_imap_notify_hear(s);
    hp_imap_notify_look_now(s); /* who asks need not wait */
    hp_imap_ok(s, NULL, _("Here."));
    return TRUE;
}

static gboolean
cmd_logout(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    if (!hp_imap_take_end(args))
        return FALSE;
    hp_imap_say(s, "BYE", NULL, _("Goodbye."));
    s->may_expunge = FALSE; /* nobody wants the news any more */
    hp_imap_forget_metadata(s);
    hp_imap_deselect(s);
    hp_imap_ok(s, NULL, _("Goodbye."));
    s->state = HP_IMAP_ENDED;
    return TRUE;
}

/* What the client says it is; RFC 2971 §3.3 */
typedef struct {
    char *name;    /* (owned) (nullable) */
    char *version; /* (owned) (nullable) */
} Id;

static void
id_clear(Id *self)
{
    g_free(self->name);
    g_free(self->version);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Id, id_clear)

/* Takes @value if it is one of those that are kept. The last one counts. */
static void
keep_pair(Id *id, const char *key, char **value)
{
    char **place = NULL;

    if (g_ascii_strcasecmp(key, "name") == 0)
        place = &id->name;
    else if (g_ascii_strcasecmp(key, "version") == 0)
        place = &id->version;
    if (place == NULL)
        return;
    g_free(*place);
    *place = g_steal_pointer(value);
}

/* id_params_list = "(" *(string SP nstring) ")" / nil; RFC 2971 §3.3 */
static gboolean
take_id(HpImapArgs *args, Id *id)
{
    if (hp_imap_skip_word(args, "NIL"))
        return TRUE;
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    for (guint i = 0; !hp_imap_skip(args, ')'); i++) {
        g_autofree char *name = NULL;
        g_autofree char *value = NULL;

        if (i == MAX_ID_PAIRS)
            return hp_imap_want(args, _("fewer pairs"));
        if ((i > 0 && !hp_imap_take_space(args)) || !hp_imap_take_string(args, &name) ||
            !hp_imap_take_space(args) || !hp_imap_take_nstring(args, &value))
            return FALSE;
        keep_pair(id, name, &value);
    }
    return TRUE;
}

/* For people who ask who is there; nothing here depends on it. */
static void
introduce(HpImapSession *s, const Id *id)
{
    g_autofree char *whole = NULL;
    g_autofree char *program = NULL;

    if (id->name == NULL || *id->name == '\0')
        return;
    whole = id->version != NULL ? g_strdup_printf("%s %s", id->name, id->version)
                                : g_strdup(id->name);
    program = hp_text_printable(hp_slice_of(whole), MAX_PROGRAM);
    hp_connection_introduce(s->connection, program);
}

static gboolean
cmd_id(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(Id) id = { NULL, NULL };

    if (!hp_imap_take_space(args) || !take_id(args, &id) || !hp_imap_take_end(args))
        return FALSE;
    introduce(s, &id);
    if (s->state == HP_IMAP_FRESH)
        hp_imap_untagged(s, "ID (\"name\" \"Hauspost\")");
    else
        hp_imap_untagged(s, "ID (\"name\" \"Hauspost\" \"version\" \"%s\")", HP_VERSION);
    hp_imap_ok(s, NULL, _("Pleased to meet you."));
    return TRUE;
}

static void
enable(HpImapSession *s, HpSlice capability, GString *enabled)
{
    if (hp_slice_equal_nocase(capability, "CONDSTORE")) {
        hp_imap_use_condstore(s);
        g_string_append(enabled, " CONDSTORE");
    } else if (hp_slice_equal_nocase(capability, "QRESYNC")) {
        hp_imap_use_condstore(s);
        s->qresync = TRUE;
        g_string_append(enabled, " QRESYNC");
    } else if (hp_slice_equal_nocase(capability, "UIDONLY")) {
        s->uidonly = TRUE;
        g_string_append(enabled, " UIDONLY");
    } else if (hp_slice_equal_nocase(capability, "UTF8=ACCEPT")) {
        s->utf8 = TRUE;
        g_string_append(enabled, " UTF8=ACCEPT");
    } else if (hp_slice_equal_nocase(capability, "METADATA")) {
        hp_imap_use_metadata(s);
        g_string_append(enabled, " METADATA");
    } else if (hp_slice_equal_nocase(capability, "IMAP4rev2")) {
        s->utf8 = TRUE;
        s->rev2 = TRUE;
        g_string_append(enabled, " IMAP4rev2");
    }
}

/* RFC 5161 §3.1: what is not known is ignored. */
static gboolean
cmd_enable(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(GString) enabled = g_string_new("ENABLED");
    HpImapArgs again = *args;
    HpSlice capability;

    do {
        if (!hp_imap_take_space(args) || !hp_imap_take_atom(args, &capability))
            return FALSE;
    } while (hp_imap_peek(args) == ' ');
    if (!hp_imap_take_end(args))
        return FALSE;
    while (hp_imap_take_space(&again) && hp_imap_take_atom(&again, &capability))
        enable(s, capability, enabled);
    hp_imap_untagged(s, "%s", enabled->str);
    hp_imap_ok(s, NULL, _("These are on now."));
    return TRUE;
}

/* RFC 2342 §5: the user's own mailboxes, nobody else's. */
static gboolean
cmd_namespace(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    if (!hp_imap_take_end(args))
        return FALSE;
    hp_imap_untagged(s, "NAMESPACE ((\"\" \"/\")) NIL NIL");
    hp_imap_ok(s, NULL, _("That is all there is."));
    return TRUE;
}

/* --- which command when --------------------------------------------------------------
 */

typedef enum {
    PLAIN,   /* without UID before it */
    EITHER,  /* with it or without */
    NUMBERS, /* the same, and without it takes or gives message numbers (RFC 9586) */
} Forms;

typedef struct {
    const char *name; /* (unowned) */
    guint allowed;    /* HpImapState bits */
    Forms forms;
    /* No EXPUNGE may be told during it, for message numbers in commands that the client
     * may have sent already would change their meaning (RFC 9051 §7.5.1). */
    gboolean keeps_numbers;
    HpImapRun run;
} Command;

static const Command commands[] = {
    { "CAPABILITY", ANY, PLAIN, FALSE, cmd_capability },
    { "NOOP", ANY, PLAIN, FALSE, cmd_noop },
    { "LOGOUT", ANY, PLAIN, FALSE, cmd_logout },
    { "ID", ANY, PLAIN, FALSE, cmd_id },
    { "STARTTLS", HP_IMAP_FRESH, PLAIN, FALSE, hp_imap_cmd_starttls },
    { "LOGIN", HP_IMAP_FRESH, PLAIN, FALSE, hp_imap_cmd_login },
    { "AUTHENTICATE", HP_IMAP_FRESH, PLAIN, FALSE, hp_imap_cmd_authenticate },
    { "ENABLE", INSIDE, PLAIN, FALSE, cmd_enable },
    { "NAMESPACE", INSIDE, PLAIN, FALSE, cmd_namespace },
    { "LIST", INSIDE, PLAIN, FALSE, hp_imap_cmd_list },
    { "LSUB", INSIDE, PLAIN, FALSE, hp_imap_cmd_lsub },
    { "STATUS", INSIDE, PLAIN, FALSE, hp_imap_cmd_status },
    { "GETQUOTA", INSIDE, PLAIN, FALSE, hp_imap_cmd_getquota },
    { "GETQUOTAROOT", INSIDE, PLAIN, FALSE, hp_imap_cmd_getquotaroot },
    { "GETMETADATA", INSIDE, PLAIN, FALSE, hp_imap_cmd_getmetadata },
    { "SETMETADATA", INSIDE, PLAIN, FALSE, hp_imap_cmd_setmetadata },
    { "CREATE", INSIDE, PLAIN, FALSE, hp_imap_cmd_create },
    { "DELETE", INSIDE, PLAIN, FALSE, hp_imap_cmd_delete },
    { "RENAME", INSIDE, PLAIN, FALSE, hp_imap_cmd_rename },
    { "SUBSCRIBE", INSIDE, PLAIN, FALSE, hp_imap_cmd_subscribe },
    { "UNSUBSCRIBE", INSIDE, PLAIN, FALSE, hp_imap_cmd_unsubscribe },
    { "APPEND", INSIDE, PLAIN, FALSE, hp_imap_cmd_append },
    { "SELECT", INSIDE, PLAIN, FALSE, hp_imap_cmd_select },
    { "EXAMINE", INSIDE, PLAIN, FALSE, hp_imap_cmd_examine },
    { "IDLE", INSIDE, PLAIN, FALSE, hp_imap_cmd_idle },
    { "NOTIFY", INSIDE, PLAIN, FALSE, hp_imap_cmd_notify },
    { "ESEARCH", INSIDE, EITHER, TRUE, hp_imap_cmd_esearch },
    { "CHECK", HP_IMAP_SELECTED, PLAIN, FALSE, cmd_noop },
    { "CLOSE", HP_IMAP_SELECTED, PLAIN, FALSE, hp_imap_cmd_close },
    { "UNSELECT", HP_IMAP_SELECTED, PLAIN, FALSE, hp_imap_cmd_unselect },
    { "EXPUNGE", HP_IMAP_SELECTED, EITHER, FALSE, hp_imap_cmd_expunge },
    { "SEARCH", HP_IMAP_SELECTED, NUMBERS, TRUE, hp_imap_cmd_search },
    { "SORT", HP_IMAP_SELECTED, NUMBERS, TRUE, hp_imap_cmd_sort },
    { "THREAD", HP_IMAP_SELECTED, NUMBERS, TRUE, hp_imap_cmd_thread },
    { "FETCH", HP_IMAP_SELECTED, NUMBERS, TRUE, hp_imap_cmd_fetch },
    { "STORE", HP_IMAP_SELECTED, NUMBERS, TRUE, hp_imap_cmd_store },
    { "COPY", HP_IMAP_SELECTED, NUMBERS, FALSE, hp_imap_cmd_copy },
    { "MOVE", HP_IMAP_SELECTED, NUMBERS, FALSE, hp_imap_cmd_move },
    { "REPLACE", HP_IMAP_SELECTED, NUMBERS, FALSE, hp_imap_cmd_replace },
};

static void
refuse_state(HpImapSession *s, const Command *command)
{
    if ((command->allowed & HP_IMAP_FRESH) != 0)
        hp_imap_bad(s, _("You are logged in already."));
    else if (s->state == HP_IMAP_FRESH)
        hp_imap_bad(s, _("Please log in first: your mail program needs a user name and a "
                         "password for this server."));
    else
        hp_imap_bad(s, _("No mailbox is open: SELECT one first."));
}

static void
run(HpImapSession *s, const Command *command, HpImapArgs *args, gboolean uid)
{
    g_autofree char *text = NULL;

    if ((command->allowed & (guint)s->state) == 0) {
        refuse_state(s, command);
        return;
    }
    if (s->uidonly && command->forms == NUMBERS && !uid) {
        hp_imap_bad_code(s, "UIDREQUIRED",
                         _("After ENABLE UIDONLY only the form with UID before it is "
                           "understood."));
        return;
    }
    s->may_expunge = uid || !command->keeps_numbers;
    s->progress_usec = g_get_monotonic_time();
    hp_imap_set_timeout(s, ANSWER_USEC);
    if (command->run(s, args, uid))
        return;
    text = g_strdup_printf(_("%s: at octet %u of the command should be %s."),
                           command->name, (guint)args->where, args->wanted);
    hp_imap_bad_code(s, args->uid_required ? "UIDREQUIRED" : NULL, text);
}

static const Command *
find(HpSlice name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (hp_slice_equal_nocase(name, commands[i].name))
            return &commands[i];
    return NULL;
}

/* command = tag SP name ...; the name may have UID before it. */
static void
dispatch(HpImapSession *s)
{
    HpImapArgs args = hp_imap_args(hp_slice_of_string(s->command));
    const Command *command = NULL;
    HpSlice word = { NULL, 0 };
    gboolean uid = FALSE;
    gboolean good = hp_imap_take_tag(&args, &word) && hp_imap_take_space(&args) &&
                    hp_imap_take_atom(&args, &word);

    if (good && hp_slice_equal_nocase(word, "UID")) {
        uid = TRUE;
        good = hp_imap_take_space(&args) && hp_imap_take_atom(&args, &word);
    }
    command = good ? find(word) : NULL;
    if (!good)
        hp_imap_bad(s, _("A command begins with a tag, a space and a word."));
    else if (command == NULL || (uid && command->forms == PLAIN))
        hp_imap_bad(s, _("This is not a command that Hauspost knows."));
    else
        run(s, command, &args, uid);
}

/* --- the conversation ----------------------------------------------------------------
 */

/* A client that begins TLS on the port for plain text would wait for ever. */
static gboolean
is_tls_hello(HpImapSession *s)
{
    HpSlice input;

    if (!hp_channel_fill(s->channel, NULL))
        return FALSE; /* the first line will tell why */
    input = hp_channel_input(s->channel);
    return input.len > 0 && input.data[0] == TLS_HANDSHAKE;
}

static void
start(HpImapSession *s)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *list = NULL;
    g_autofree char *code = NULL;

    if (hp_connection_service(s->connection)->implicit_tls &&
        (s->options->tls == NULL ||
         !hp_channel_start_tls_server(s->channel, s->options->tls, "imap", &error))) {
        hp_log("imap", hp_connection_id(s->connection), G_LOG_LEVEL_INFO, "%s",
               error != NULL ? error->message : "no certificate");
        s->state = HP_IMAP_ENDED;
        return;
    }
    list = hp_imap_capabilities(s);
    code = g_strdup_printf("CAPABILITY %s", list);
    hp_imap_say(s, "OK", code, _("Hauspost is ready."));
    if (!hp_channel_is_tls(s->channel) && is_tls_hello(s))
        s->state = HP_IMAP_ENDED;
}

void
hp_imap_serve(HpConnection *connection, gpointer options)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    g_autoptr(GString) command = g_string_new(NULL);
    HpImapSession s = {
        .connection = connection,
        .channel = hp_connection_channel(connection),
        .options = options,
        .waker = waker,
        .state = waker != NULL ? HP_IMAP_FRESH : HP_IMAP_ENDED,
        .login_by_usec = g_get_monotonic_time() + LOGIN_USEC,
        .command = command,
        .tag = g_strdup("*"),
    };

    hp_channel_set_budget(s.channel, BUDGET_BEFORE_LOGIN);
    hp_imap_set_timeout(&s, LOGIN_USEC);
    if (s.state != HP_IMAP_ENDED)
        start(&s);
    while (s.state != HP_IMAP_ENDED)
        if (hp_imap_await_command(&s) && hp_imap_read_command(&s))
            dispatch(&s);
    hp_imap_deselect(&s);
    hp_imap_notify_free(s.notify, &s);
    hp_imap_forget_metadata(&s);
    hp_channel_set_timeout(s.channel, FAREWELL_USEC);
    hp_channel_flush(s.channel, NULL);
    g_free(s.tag);
}

void
hp_imap_refuse(HpChannel *channel, gpointer options)
{
    g_autofree char *text = hp_text_to_ascii(_(
        "Too many connections at once. Close one of your mail programs, or try again."));

    hp_channel_set_timeout(channel, FAREWELL_USEC);
    if (hp_channel_printf(channel, NULL, "* BYE [LIMIT] %s\r\n", text))
        hp_channel_flush(channel, NULL);
}
