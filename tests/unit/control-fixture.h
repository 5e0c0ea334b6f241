/* control-fixture: asking the daemon by D-Bus and looking into its answers, for tests.
 *
 * Threads: the test's.
 */
#pragma once

#include "daemon-fixture.h"

#include "hp-control-error.h"

#include <gio/gio.h>
#include <string.h>

#define FAR_FUTURE "2099-01-01T00:00:00Z"
#define FAR_USEC   ((gint64)4070908800 * G_USEC_PER_SEC)
#define YEAR_10000 ((gint64)253402300800 * G_USEC_PER_SEC)

/* The one result of a method that must succeed. */
static inline GVariant *
ask(Fixture *f, const char *method, GVariant *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = fixture_call(f, method, args, &error);

    g_assert_no_error(error);
    return g_variant_n_children(answer) > 0 ? g_variant_get_child_value(answer, 0) : NULL;
}

static inline guint
ask_number(Fixture *f, const char *method, GVariant *args)
{
    g_autoptr(GVariant) answer = ask(f, method, args);

    return g_variant_get_uint32(answer);
}

/* The method must fail with org.hauspost.Error.@name, and with a sentence. */
static inline void
check_error(Fixture *f, const char *method, GVariant *args, const char *name)
{
    g_autofree char *full = g_strconcat("org.hauspost.Error.", name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = fixture_call(f, method, args, &error);
    g_autofree char *remote = NULL;

    g_assert_null(answer);
    g_assert_nonnull(error);
    g_assert_cmpint(error->domain, ==, HP_CONTROL_ERROR);
    remote = g_dbus_error_get_remote_error(error);
    if (remote == NULL) /* our own names are known to GDBus, and translated */
        remote = g_dbus_error_encode_gerror(error);
    g_assert_cmpstr(remote, ==, full);
    g_dbus_error_strip_remote_error(error);
    g_assert_cmpuint(strlen(error->message), >, 0);
    g_assert_cmpuint(strlen(error->message), <, 300);
    g_assert_null(strchr(error->message, '\n')); /* that would be a command to type */
}

static inline const char *
text_in(GVariant *dict, const char *key)
{
    const char *text = NULL;

    g_variant_lookup(dict, key, "&s", &text);
    return text;
}

static inline guint
number_in(GVariant *dict, const char *key)
{
    guint32 n = G_MAXUINT32;

    g_variant_lookup(dict, key, "u", &n);
    return n;
}

static inline guint64
octets_in(GVariant *dict, const char *key)
{
    guint64 n = G_MAXUINT64;

    g_variant_lookup(dict, key, "t", &n);
    return n;
}

/* Dictionary number @i of a list in a dictionary; (transfer full) (nullable). */
static inline GVariant *
row_in(GVariant *dict, const char *key, guint i)
{
    g_autoptr(GVariant) list =
        g_variant_lookup_value(dict, key, G_VARIANT_TYPE("aa{sv}"));

    g_assert_nonnull(list);
    return i < g_variant_n_children(list) ? g_variant_get_child_value(list, i) : NULL;
}

static inline GVariant *
dict_in(GVariant *dict, const char *key)
{
    GVariant *inner = g_variant_lookup_value(dict, key, G_VARIANT_TYPE_VARDICT);

    g_assert_nonnull(inner);
    return inner;
}

static inline GVariant *
one_id(const char *id)
{
    return g_variant_new("(^as)", (const char *const[]){ id, NULL });
}

static inline GVariant *
one_id_until(const char *id, gint64 until)
{
    return g_variant_new("(^asx)", (const char *const[]){ id, NULL }, until);
}

/* "(a{sv})" of one text member, or of none. */
static inline GVariant *
filter(const char *key, const char *value)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    if (key != NULL)
        g_variant_dict_insert(&dict, key, "s", value);
    return g_variant_new("(@a{sv})", g_variant_dict_end(&dict));
}

static inline guint
count_of(Fixture *f, const char *method, GVariant *args)
{
    g_autoptr(GVariant) list = ask(f, method, args);

    return (guint)g_variant_n_children(list);
}

static inline char *
state_of(Fixture *f, const char *id)
{
    g_autoptr(GVariant) message = ask(f, "Message", g_variant_new("(s)", id));
    g_autoptr(GVariant) recipient = row_in(message, "recipients", 0);

    return g_strdup(text_in(recipient, "state"));
}

static inline void
check_state(Fixture *f, const char *id, const char *want)
{
    g_autofree char *state = state_of(f, id);

    g_assert_cmpstr(state, ==, want);
}

/* A message that the test needs no id of. */
static inline void
submit(Fixture *f, const char *address)
{
    g_autofree char *id = fixture_submit(f, address);

    g_assert_nonnull(id);
}
