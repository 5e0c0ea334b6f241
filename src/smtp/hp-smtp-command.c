#include "hp-smtp-command.h"

#define MAX_ENVID 100                   /* octets of xtext, RFC 3461 §5.4 */
#define MAX_ORCPT 500                   /* octets, §5.4 */
#define MAX_AUTH  500                   /* octets, RFC 4954 §3 */
#define MAX_TYPE  32                    /* octets of an address type in ORCPT; ours */
#define MAX_SIZE  ((guint64)G_MAXINT64) /* RFC 1870 §3: 20 digits */

void
hp_smtp_mail_clear(HpSmtpMail *self)
{
    g_clear_pointer(&self->address, hp_address_free);
    g_clear_pointer(&self->envid, g_free);
    *self = (HpSmtpMail){ 0 };
}

void
hp_smtp_rcpt_clear(HpSmtpRcpt *self)
{
    g_clear_pointer(&self->address, hp_address_free);
    g_clear_pointer(&self->orcpt, g_free);
    *self = (HpSmtpRcpt){ 0 };
}

/* --- lines ------------------------------------------------------------------------ */

static gboolean
is_alpha(unsigned char b)
{
    return g_ascii_isalpha(b);
}

static HpSlice
trim_end(HpSlice text)
{
    while (text.len > 0 &&
           (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

gboolean
hp_smtp_parse_command(HpSlice line, HpSlice *ret_verb, HpSlice *ret_args)
{
    HpCursor c = hp_cursor_over(trim_end(line));
    HpSlice verb = hp_cursor_take(&c, is_alpha);

    if (verb.len == 0 || (!hp_cursor_at_end(&c) && !hp_cursor_skip(&c, ' ')))
        return FALSE;
    *ret_verb = verb;
    *ret_args = hp_cursor_rest(&c);
    return TRUE;
}

static gboolean
is_label_byte(unsigned char b)
{
    return g_ascii_isalnum(b) || b == '-' || b == '_';
}

/* --- xtext: *( xchar / hexchar ), hexchar = "+" and two upper case digits, RFC 3461 §4
 * -- */

static int
hex_value(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Consumes one character; -1 if it is not xtext. */
static int
take_xchar(HpCursor *c)
{
    int byte = hp_cursor_peek(c);
    int high = -1, low = -1;

    if (byte < '!' || byte > '~' || byte == '=')
        return -1;
    c->at++;
    if (byte != '+')
        return byte;
    if (c->end - c->at < 2)
        return -1;
    high = hex_value(c->at[0]);
    low = hex_value(c->at[1]);
    c->at += 2;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

char *
hp_smtp_decode_xtext(HpSlice xtext, size_t max_octets)
{
    HpCursor c = hp_cursor_over(xtext);
    g_autoptr(GString) text = g_string_sized_new(MIN(xtext.len, max_octets));

    if (xtext.len > max_octets)
        return NULL;
    while (!hp_cursor_at_end(&c)) {
        int byte = take_xchar(&c);

        /* It ends up in header fields: no control characters (§4.4, §4.2). */
        if (byte < ' ' || byte > '~')
            return NULL;
        g_string_append_c(text, (char)byte);
    }
    return g_strdup(text->str);
}

char *
hp_smtp_encode_xtext(HpSlice text)
{
    GString *xtext = g_string_sized_new(text.len);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char b = (unsigned char)text.data[i];

        if (b < '!' || b > '~' || b == '+' || b == '=')
            g_string_append_printf(xtext, "+%02X", b);
        else
            g_string_append_c(xtext, (char)b);
    }
    return g_string_free(xtext, FALSE);
}

/* --- parameters ------------------------------------------------------------------- */

/* One parameter: esmtp-keyword ["=" esmtp-value], RFC 5321 §4.1.2. */
typedef struct {
    HpSlice keyword;
    HpSlice value;
    gboolean has_value;
} Parameter;

typedef HpSmtpParse (*TakeValue)(gpointer target, const Parameter *parameter);

typedef struct {
    const char *keyword; /* (unowned) */
    TakeValue take;
} Row;

static gboolean
is_value_byte(unsigned char b)
{
    return b > ' ' && b != '=' && b != 127; /* RFC 6531 §3.3 adds UTF-8 */
}

static gboolean
take_parameter(HpCursor *c, Parameter *ret)
{
    Parameter parameter = { .keyword = hp_cursor_take(c, is_label_byte) };

    if (parameter.keyword.len == 0)
        return FALSE;
    if (hp_cursor_skip(c, '=')) {
        parameter.has_value = TRUE;
        parameter.value = hp_cursor_take(c, is_value_byte);
        if (parameter.value.len == 0)
            return FALSE;
    }
    *ret = parameter;
    return hp_cursor_at_end(c) || hp_cursor_peek(c) == ' ';
}

static HpSmtpParse
take_known(const Parameter *parameter, const Row *rows, gpointer target, guint *seen)
{
    for (guint i = 0; rows[i].keyword != NULL; i++) {
        if (!hp_slice_equal_nocase(parameter->keyword, rows[i].keyword))
            continue;
        if ((*seen & (1u << i)) != 0)
            return HP_SMTP_PARSE_VALUE;
        *seen |= 1u << i;
        return rows[i].take(target, parameter);
    }
    return HP_SMTP_PARSE_UNKNOWN;
}

/* *(SP parameter) to the end of the line. */
static HpSmtpParse
take_parameters(HpCursor *c, const Row *rows, gpointer target)
{
    guint seen = 0;

    while (!hp_cursor_at_end(c)) {
        Parameter parameter = { 0 };
        HpSmtpParse result = HP_SMTP_PARSE_OK;

        if (!hp_cursor_skip(c, ' '))
            return HP_SMTP_PARSE_ADDRESS; /* something sticks to the path */
        if (hp_cursor_peek(c) == ' ' || hp_cursor_at_end(c))
            continue;
        if (!take_parameter(c, &parameter))
            return HP_SMTP_PARSE_VALUE;
        result = take_known(&parameter, rows, target, &seen);
        if (result != HP_SMTP_PARSE_OK)
            return result;
    }
    return HP_SMTP_PARSE_OK;
}

static HpSmtpParse
verdict(gboolean right)
{
    return right ? HP_SMTP_PARSE_OK : HP_SMTP_PARSE_VALUE;
}

/* size-value ::= 1*20DIGIT                                              RFC 1870 §3 */
static HpSmtpParse
take_size(gpointer target, const Parameter *parameter)
{
    HpSmtpMail *mail = target;
    HpCursor c = hp_cursor_over(parameter->value);

    return verdict(hp_cursor_take_number(&c, MAX_SIZE, &mail->size) &&
                   hp_cursor_at_end(&c));
}

/* BODY = "7BIT" / "8BITMIME"                                            RFC 6152 §3 */
static HpSmtpParse
take_body(gpointer target, const Parameter *parameter)
{
    HpSmtpMail *mail = target;

    mail->eight_bit = hp_slice_equal_nocase(parameter->value, "8BITMIME");
    return verdict(mail->eight_bit || hp_slice_equal_nocase(parameter->value, "7BIT"));
}

/* It has no value (RFC 6531 §3.4). */
static HpSmtpParse
take_smtputf8(gpointer target, const Parameter *parameter)
{
    HpSmtpMail *mail = target;

    mail->smtputf8 = TRUE;
    return verdict(!parameter->has_value);
}

/* RET = "FULL" / "HDRS"                                               RFC 3461 §4.3 */
static HpSmtpParse
take_ret(gpointer target, const Parameter *parameter)
{
    HpSmtpMail *mail = target;

    if (hp_slice_equal_nocase(parameter->value, "FULL"))
        mail->ret = HP_RET_FULL;
    else if (hp_slice_equal_nocase(parameter->value, "HDRS"))
        mail->ret = HP_RET_HDRS;
    return verdict(mail->ret != HP_RET_UNSET);
}

static HpSmtpParse
take_envid(gpointer target, const Parameter *parameter)
{
    HpSmtpMail *mail = target;

    if (parameter->has_value)
        mail->envid = hp_smtp_decode_xtext(parameter->value, MAX_ENVID);
    return verdict(mail->envid != NULL);
}

/* "<>" or a mailbox in xtext (RFC 4954 §5). Who submitted a message is known here by the
 * login, so it is checked and forgotten, as §5 wants of a client that is not trusted. */
static HpSmtpParse
take_auth(gpointer target, const Parameter *parameter)
{
    g_autofree char *text = hp_smtp_decode_xtext(parameter->value, MAX_AUTH);

    return verdict(parameter->has_value && text != NULL);
}

static gboolean
take_notify_word(HpSlice word, guint *bits)
{
    static const struct {
        const char *word;
        guint bit;
    } rows[] = {
        { "NEVER", HP_NOTIFY_NEVER },
        { "SUCCESS", HP_NOTIFY_SUCCESS },
        { "FAILURE", HP_NOTIFY_FAILURE },
        { "DELAY", HP_NOTIFY_DELAY },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!hp_slice_equal_nocase(word, rows[i].word))
            continue;
        *bits |= rows[i].bit;
        return TRUE;
    }
    return FALSE;
}

/* "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY"), NEVER alone          RFC 3461 §4.1 */
static HpSmtpParse
take_notify(gpointer target, const Parameter *parameter)
{
    HpSmtpRcpt *rcpt = target;
    HpCursor c = hp_cursor_over(parameter->value);
    guint bits = 0;

    do {
        if (!take_notify_word(hp_cursor_take_until(&c, ','), &bits))
            return HP_SMTP_PARSE_VALUE;
    } while (hp_cursor_skip(&c, ','));
    if ((bits & HP_NOTIFY_NEVER) != 0 && bits != HP_NOTIFY_NEVER)
        return HP_SMTP_PARSE_VALUE;
    rcpt->notify = bits;
    return HP_SMTP_PARSE_OK;
}

/* UTF-8 may stand in it unencoded when the address type is "utf-8" (RFC 6533 §3). */
static char *
take_utf8_address(HpSlice text)
{
    if (!g_utf8_validate(text.data, (gssize)text.len, NULL))
        return NULL;
    return hp_slice_dup(text);
}

/* original-recipient-address = addr-type ";" xtext                    RFC 3461 §4.2 */
static HpSmtpParse
take_orcpt(gpointer target, const Parameter *parameter)
{
    HpSmtpRcpt *rcpt = target;
    HpCursor c = hp_cursor_over(parameter->value);
    HpSlice type = hp_cursor_take(&c, is_label_byte);
    g_autofree char *address = NULL;
    g_autofree char *name = NULL;

    if (type.len == 0 || type.len > MAX_TYPE || parameter->value.len > MAX_ORCPT ||
        !hp_cursor_skip(&c, ';') || hp_cursor_at_end(&c))
        return HP_SMTP_PARSE_VALUE;
    if (hp_slice_equal_nocase(type, "utf-8"))
        address = take_utf8_address(hp_cursor_rest(&c));
    else
        address = hp_smtp_decode_xtext(hp_cursor_rest(&c), MAX_ORCPT);
    if (address == NULL)
        return HP_SMTP_PARSE_VALUE;
    name = hp_slice_dup(type);
    rcpt->orcpt = g_strdup_printf("%s;%s", name, address);
    return HP_SMTP_PARSE_OK;
}

/* --- MAIL and RCPT ---------------------------------------------------------------- */

/* The word and the path; the cursor then stands at the parameters. */
static HpSmtpParse
take_path(HpCursor *c, const char *word, HpAddress **ret_address)
{
    if (!hp_cursor_skip_word(c, word))
        return HP_SMTP_PARSE_SYNTAX;
    while (hp_cursor_skip(c, ' ')) {
    }
    return hp_address_parse_path(c, ret_address) ? HP_SMTP_PARSE_OK
                                                 : HP_SMTP_PARSE_ADDRESS;
}

HpSmtpParse
hp_smtp_parse_mail(HpSlice args, HpSmtpMail *ret_mail)
{
    static const Row rows[] = {
        { "SIZE", take_size },   { "BODY", take_body },
        { "RET", take_ret },     { "SMTPUTF8", take_smtputf8 },
        { "ENVID", take_envid }, { "AUTH", take_auth },
        { NULL, NULL },
    };
    HpCursor c = hp_cursor_over(args);
    HpSmtpParse result = take_path(&c, "FROM:", &ret_mail->address);

    return result == HP_SMTP_PARSE_OK ? take_parameters(&c, rows, ret_mail) : result;
}

HpSmtpParse
hp_smtp_parse_rcpt(HpSlice args, HpSmtpRcpt *ret_rcpt)
{
    static const Row rows[] = {
        { "NOTIFY", take_notify },
        { "ORCPT", take_orcpt },
        { NULL, NULL },
    };
    HpCursor c = hp_cursor_over(args);
    HpSmtpParse result = take_path(&c, "TO:", &ret_rcpt->address);

    if (result == HP_SMTP_PARSE_OK && ret_rcpt->address == NULL)
        result = HP_SMTP_PARSE_ADDRESS; /* "<>" receives nothing */
    return result == HP_SMTP_PARSE_OK ? take_parameters(&c, rows, ret_rcpt) : result;
}
