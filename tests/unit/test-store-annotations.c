#include "hp-store-annotations.h"
#include "hp-store-check.h"
#include "hp-store-mailboxes.h"
#include "store-fixture.h"

#include <string.h>

static HpStoreAnnotation *
annotation(const char *entry, const char *text)
{
    g_autoptr(GBytes) value = text != NULL ? g_bytes_new(text, strlen(text)) : NULL;

    return hp_store_annotation_new(entry, value);
}

static gboolean
annotate(StoreFixture *f, gint64 mailbox, const char *entry, const char *text,
         GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(hp_store_annotation_free);

    g_ptr_array_add(list, annotation(entry, text));
    return hp_store_annotate(f->store, mailbox, list, NULL, error);
}

/* "entry=value entry=value" */
static char *
describe(StoreFixture *f, gint64 mailbox)
{
    g_autoptr(GPtrArray) list = hp_store_annotations(f->store, mailbox, NULL);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const HpStoreAnnotation *one = list->pdata[i];
        gsize len;
        const char *data = g_bytes_get_data(one->value, &len);

        g_string_append_printf(text, "%s%s=%.*s", i > 0 ? " " : "", one->entry, (int)len,
                               len > 0 ? data : "");
    }
    return g_string_free(text, FALSE);
}

static void
check_annotations(StoreFixture *f, gint64 mailbox, const char *wanted)
{
    g_autofree char *text = describe(f, mailbox);

    g_assert_cmpstr(text, ==, wanted);
}

static void
knows_what_can_be_a_name(void)
{
    g_autofree char *fill = g_strnfill(HP_STORE_MAX_ENTRY - strlen("/shared/"), 'x');
    g_autofree char *longest = g_strconcat("/shared/", fill, NULL);
    g_autofree char *too_long = g_strconcat("/shared/", fill, "x", NULL);
    g_autoptr(GString) deep = g_string_new("/private");

    g_assert_true(hp_store_is_entry("/private/comment"));
    g_assert_true(hp_store_is_entry("/SHARED/Comment"));
    g_assert_true(hp_store_is_entry("/private/vendor/cmu/x y"));
    g_assert_true(hp_store_is_entry(longest));
    g_assert_false(hp_store_is_entry(too_long));
    g_assert_false(hp_store_is_entry(""));
    g_assert_false(hp_store_is_entry("/private"));
    g_assert_false(hp_store_is_entry("/public/comment"));
    g_assert_false(hp_store_is_entry("/sharedx/comment"));
    g_assert_false(hp_store_is_entry("private/comment"));
    g_assert_false(hp_store_is_entry("/private//comment"));
    g_assert_false(hp_store_is_entry("/private/comment/"));
    g_assert_false(hp_store_is_entry("/private/a*"));
    g_assert_false(hp_store_is_entry("/private/a%"));
    g_assert_false(hp_store_is_entry("/private/\xc3\xbc"));
    g_assert_false(hp_store_is_entry("/private/a\tb"));
    g_assert_false(hp_store_is_entry("/shared/vendor/cmu"));
    for (guint i = 1; i < HP_STORE_MAX_ENTRY_PARTS; i++)
        g_string_append(deep, "/a");
    g_assert_true(hp_store_is_entry(deep->str));
    g_string_append(deep, "/a");
    g_assert_false(hp_store_is_entry(deep->str));
}

static void
knows_what_others_can_be_below(void)
{
    g_assert_true(hp_store_is_entry_root("/private"));
    g_assert_true(hp_store_is_entry_root("/Shared/vendor/cmu"));
    g_assert_true(hp_store_is_entry_root("/shared/comment"));
    g_assert_false(hp_store_is_entry_root("/"));
    g_assert_false(hp_store_is_entry_root("/private/"));
    g_assert_false(hp_store_is_entry_root("/vendor"));
}

static void
keeps_what_is_set(StoreFixture *f, gconstpointer unused)
{
    gint64 sent = store_mailbox_id(f, "Sent");

    g_assert_true(annotate(f, HP_STORE_INBOX, "/shared/comment", "mine", NULL));
    g_assert_true(annotate(f, HP_STORE_INBOX, "/private/comment", "", NULL));
    g_assert_true(annotate(f, HP_STORE_SERVER, "/shared/comment", "all", NULL));
    store_fixture_stop(f);
    store_fixture_start(f);
    check_annotations(f, HP_STORE_INBOX, "/private/comment= /shared/comment=mine");
    check_annotations(f, HP_STORE_SERVER, "/shared/comment=all");
    check_annotations(f, sent, "/private/specialuse=\\Sent");
}

static void
takes_names_in_any_case(StoreFixture *f, gconstpointer unused)
{
    g_assert_true(annotate(f, HP_STORE_INBOX, "/shared/comment", "one", NULL));
    g_assert_true(annotate(f, HP_STORE_INBOX, "/SHARED/Comment", "two", NULL));
    check_annotations(f, HP_STORE_INBOX, "/SHARED/Comment=two");
    g_assert_true(annotate(f, HP_STORE_INBOX, "/shared/COMMENT", NULL, NULL));
    check_annotations(f, HP_STORE_INBOX, "");
}

static void
keeps_any_octets(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GBytes) value = g_bytes_new("a\0\xff\r\n", 5);
    g_autoptr(GPtrArray) set = g_ptr_array_new_with_free_func(hp_store_annotation_free);
    g_autoptr(GPtrArray) got = NULL;

    g_ptr_array_add(set, hp_store_annotation_new("/private/x", value));
    g_assert_true(hp_store_annotate(f->store, HP_STORE_INBOX, set, NULL, NULL));
    got = hp_store_annotations(f->store, HP_STORE_INBOX, NULL);
    g_assert_cmpuint(got->len, ==, 1);
    g_assert_true(g_bytes_equal(((HpStoreAnnotation *)got->pdata[0])->value, value));
}

static void
sets_all_or_none(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(hp_store_annotation_free);
    g_autoptr(GError) error = NULL;
    guint64 mark = hp_store_annotation_mark(f->store);
    g_autoptr(GPtrArray) news = NULL;

    g_ptr_array_add(list, annotation("/private/comment", "new"));
    g_ptr_array_add(list, annotation("/private/specialuse", "\\Nonsense"));
    g_assert_false(
        hp_store_annotate(f->store, store_mailbox_id(f, "Sent"), list, NULL, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
    check_annotations(f, store_mailbox_id(f, "Sent"), "/private/specialuse=\\Sent");
    news = hp_store_annotation_news(f->store, &mark, NULL);
    g_assert_cmpuint(news->len, ==, 0);
}

static void
wants_a_mailbox(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(annotate(f, 4711, "/private/comment", "x", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
}

static void
limits_their_number(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < HP_STORE_MAX_ANNOTATIONS; i++) {
        g_autofree char *entry = g_strdup_printf("/private/%u", i);

        g_assert_true(annotate(f, HP_STORE_INBOX, entry, "x", NULL));
    }
    g_assert_false(annotate(f, HP_STORE_INBOX, "/private/more", "x", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_TOO_MANY);
    g_assert_true(annotate(f, HP_STORE_INBOX, "/private/1", "y", NULL));
    g_assert_true(annotate(f, HP_STORE_SERVER, "/private/more", "x", NULL));
    g_assert_true(annotate(f, HP_STORE_INBOX, "/private/1", NULL, NULL));
    g_assert_true(annotate(f, HP_STORE_INBOX, "/private/more", "x", NULL));
}

static void
limits_their_octets(StoreFixture *f, gconstpointer unused)
{
    g_autofree char *big = g_strnfill(HP_STORE_MAX_ANNOTATION, 'x');
    guint fit = HP_STORE_MAX_ANNOTATED / HP_STORE_MAX_ANNOTATION;
    guint boxes = HP_STORE_MAX_ALL_ANNOTATED / HP_STORE_MAX_ANNOTATED;
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    for (guint i = 0; i < boxes * fit; i++) {
        g_autofree char *entry = g_strdup_printf("/private/%u", i % fit);
        g_autofree char *name = g_strdup_printf("box%u", i / fit);

        if (i % fit == 0)
            g_assert_true(hp_store_create(f->store, name, NULL, &id, NULL));
        g_assert_true(annotate(f, id, entry, big, NULL));
    }
    g_assert_false(annotate(f, id, "/private/more", "x", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_TOO_MANY);
    g_clear_error(&error);
    g_assert_false(annotate(f, HP_STORE_INBOX, "/private/more", "x", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_TOO_MANY);
    g_assert_true(hp_store_delete(f->store, "box0", NULL));
    g_assert_true(annotate(f, HP_STORE_INBOX, "/private/more", "x", NULL));
}

static void
changes_the_special_use(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    g_assert_true(hp_store_create(f->store, "Gone", NULL, &id, NULL));
    g_assert_true(annotate(f, id, "/Private/SpecialUse", "\\trash", NULL));
    check_annotations(f, id, "/private/specialuse=\\Trash");
    check_annotations(f, store_mailbox_id(f, "Trash"), "");
    g_assert_true(annotate(f, id, HP_STORE_USE_ENTRY, NULL, NULL));
    check_annotations(f, id, "");
    g_assert_false(annotate(f, HP_STORE_INBOX, HP_STORE_USE_ENTRY, "\\Junk", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
    g_clear_error(&error);
    g_assert_false(annotate(f, HP_STORE_SERVER, HP_STORE_USE_ENTRY, "\\Junk", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
    g_clear_error(&error);
    g_assert_false(annotate(f, id, HP_STORE_USE_ENTRY, "\\Junk \\Sent", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
    g_clear_error(&error);
    g_assert_false(annotate(f, id, HP_STORE_USE_ENTRY, "", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
}

static void
leaves_the_outbox_its_use(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    g_assert_true(hp_store_create(f->store, "Outbox", HP_STORE_OUTBOX_USE, &id, NULL));
    g_assert_false(annotate(f, id, HP_STORE_USE_ENTRY, NULL, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
    g_clear_error(&error);
    g_assert_false(annotate(f, store_mailbox_id(f, "Sent"), HP_STORE_USE_ENTRY,
                            HP_STORE_OUTBOX_USE, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE);
}

/* What has lain long in a mailbox must not vanish at once when that becomes Trash. */
static void
lets_retention_count_from_the_new_use(StoreFixture *f, gconstpointer unused)
{
    gint64 hour = (gint64)3600 * G_USEC_PER_SEC;
    HpStoreCleanup cleanup = { .retention = { .trash_sec = 3600 } };
    gint64 id = 0;

    g_assert_true(hp_store_create(f->store, "Old", NULL, &id, NULL));
    store_append(f, id, "Subject: x\r\n\r\n", 0, NULL);
    f->now_usec += 5 * hour;
    g_assert_true(annotate(f, id, HP_STORE_USE_ENTRY, "\\Trash", NULL));
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 0);
    g_assert_cmpint(hp_store_next_cleanup_usec(f->store, &cleanup.retention), ==,
                    f->now_usec + hour);
    f->now_usec += hour;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 1);
}

static void
go_with_their_mailbox(StoreFixture *f, gconstpointer unused)
{
    gint64 id = 0;

    g_assert_true(hp_store_create(f->store, "a/b", NULL, &id, NULL));
    g_assert_true(annotate(f, id, "/private/comment", "x", NULL));
    g_assert_true(hp_store_rename(f->store, "a", "c", NULL));
    check_annotations(f, store_mailbox_id(f, "c/b"), "/private/comment=x");
    g_assert_true(hp_store_delete(f->store, "c/b", NULL));
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM annotation"), ==, 0);
    g_assert_true(hp_store_create(f->store, "c/b", NULL, &id, NULL));
    check_annotations(f, id, "");
}

static void
are_copied_when_inbox_is_renamed(StoreFixture *f, gconstpointer unused)
{
    g_assert_true(annotate(f, HP_STORE_INBOX, "/private/comment", "x", NULL));
    g_assert_true(hp_store_rename(f->store, "INBOX", "old", NULL));
    check_annotations(f, HP_STORE_INBOX, "/private/comment=x");
    check_annotations(f, store_mailbox_id(f, "old"), "/private/comment=x");
}

/* --- news ----------------------------------------------------------------------------
 */

static void
check_news(StoreFixture *f, guint64 *mark, gconstpointer author, const char *wanted)
{
    g_autoptr(GPtrArray) news = hp_store_annotation_news(f->store, mark, author);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < news->len; i++) {
        const HpStoreAnnotated *one = news->pdata[i];

        g_string_append_printf(text, "%s%d:%s", i > 0 ? " " : "", (int)one->mailbox,
                               one->entry);
    }
    g_assert_cmpstr(text->str, ==, wanted);
}

static void
tells_others_what_was_changed(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(hp_store_annotation_free);
    guint64 mark = hp_store_annotation_mark(f->store);
    guint64 own = mark;
    gint64 id = 0;

    g_ptr_array_add(list, annotation("/private/a", "x"));
    g_ptr_array_add(list, annotation("/private/b", NULL));
    g_assert_true(hp_store_annotate(f->store, HP_STORE_INBOX, list, list, NULL));
    g_assert_true(annotate(f, HP_STORE_SERVER, "/shared/c", "x", NULL));
    g_assert_true(annotate(f, HP_STORE_SERVER, "/Shared/C", "y", NULL));
    check_news(f, &mark, f, "1:/private/a 1:/private/b 0:/Shared/C");
    check_news(f, &mark, f, "");
    check_news(f, &own, list, "0:/Shared/C");
    /* A use that moves is taken from somewhere. */
    g_assert_true(hp_store_create(f->store, "New", "\\Sent", &id, NULL));
    g_assert_cmpint(store_mailbox_id(f, "Sent"), ==, 2);
    check_news(f, &mark, f, "2:/private/specialuse");
}

static void
tells_all_to_who_is_far_behind(StoreFixture *f, gconstpointer unused)
{
    guint64 mark = hp_store_annotation_mark(f->store);

    for (guint i = 0; i < 11; i++) {
        g_autoptr(GPtrArray) list =
            g_ptr_array_new_with_free_func(hp_store_annotation_free);

        for (guint j = 0; j < HP_STORE_MAX_ANNOTATIONS; j++) {
            g_autofree char *entry = g_strdup_printf("/private/%u-%u", i, j);

            g_ptr_array_add(list, annotation(entry, NULL));
        }
        g_assert_true(hp_store_annotate(f->store, HP_STORE_INBOX, list, NULL, NULL));
    }
    g_assert_true(annotate(f, HP_STORE_SERVER, "/shared/a", "x", NULL));
    check_news(f, &mark, NULL, "0:/shared/a");
    check_news(f, &mark, NULL, "");
}

/* --- what belongs to nobody ----------------------------------------------------------
 */

static void
check_and_repair_know_them(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };

    g_assert_true(annotate(f, store_mailbox_id(f, "Sent"), "/private/x", "y", NULL));
    g_assert_true(annotate(f, HP_STORE_SERVER, "/private/x", "y", NULL));
    store_ask(f, "UPDATE annotation SET mailbox = 4711 WHERE mailbox <> 0 RETURNING 1");
    hp_store_check(f->store, &report);
    g_assert_cmpuint(report.ret_problems, ==, 1);
    g_assert_true(hp_store_repair(f->store, &report, NULL));
    g_assert_cmpuint(report.ret_problems, ==, 0);
    check_annotations(f, HP_STORE_SERVER, "/private/x=y");
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM annotation"), ==, 1);
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-annotations/" path, StoreFixture, NULL, store_fixture_set_up,     \
               name, store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store-annotations/knows-what-can-be-a-name",
                    knows_what_can_be_a_name);
    g_test_add_func("/store-annotations/knows-what-others-can-be-below",
                    knows_what_others_can_be_below);
    CASE("keeps-what-is-set", keeps_what_is_set);
    CASE("takes-names-in-any-case", takes_names_in_any_case);
    CASE("keeps-any-octets", keeps_any_octets);
    CASE("sets-all-or-none", sets_all_or_none);
    CASE("wants-a-mailbox", wants_a_mailbox);
    CASE("limits-their-number", limits_their_number);
    CASE("limits-their-octets", limits_their_octets);
    CASE("changes-the-special-use", changes_the_special_use);
    CASE("leaves-the-outbox-its-use", leaves_the_outbox_its_use);
    CASE("lets-retention-count-from-the-new-use", lets_retention_count_from_the_new_use);
    CASE("go-with-their-mailbox", go_with_their_mailbox);
    CASE("are-copied-when-inbox-is-renamed", are_copied_when_inbox_is_renamed);
    CASE("tells-others-what-was-changed", tells_others_what_was_changed);
    CASE("tells-all-to-who-is-far-behind", tells_all_to_who_is_far_behind);
    CASE("check-and-repair-know-them", check_and_repair_know_them);
    return g_test_run();
}
