#include "store-fixture.h"

#include "hp-fs.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static gint64
tell_time(gpointer now, HpClockKind kind)
{
    return *(gint64 *)now;
}

void
store_fixture_start(StoreFixture *f)
{
    g_autoptr(GError) error = NULL;

    f->store = hp_store_open(f->dir, f->dir_fd, &f->clock, &error);
    g_assert_no_error(error);
}

void
store_fixture_stop(StoreFixture *f)
{
    hp_store_close(f->store);
    f->store = NULL;
}

void
store_fixture_set_up(StoreFixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("hp-store-XXXXXX", NULL);
    f->dir_fd = hp_fs_open_private_dir(f->dir, NULL);
    f->now_usec = START_USEC;
    f->clock = (HpClock){ tell_time, &f->now_usec };
    store_fixture_start(f);
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

void
store_fixture_tear_down(StoreFixture *f, gconstpointer unused)
{
    if (f->store != NULL)
        store_fixture_stop(f);
    close(f->dir_fd);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(f->dir);
}

guint32
store_append(StoreFixture *f, gint64 mailbox, const char *text, guint32 flags,
             const char *keywords)
{
    g_autoptr(HpContentDraft) draft = hp_store_draft(f->store);
    g_auto(GStrv) words = g_strsplit(keywords != NULL ? keywords : "", " ", -1);
    HpStoreAppend append = { .draft = draft, .flags = flags, .keywords = words };
    g_autoptr(GArray) uids = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_content_draft_append(draft, hp_slice_of(text), NULL));
    g_assert_true(hp_content_draft_finish(draft, NULL));
    hp_store_append(f->store, mailbox, &append, 1, &uids, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(uids->len, ==, 1);
    return g_array_index(uids, guint32, 0);
}

void
store_fill(StoreFixture *f, gint64 mailbox, guint n)
{
    g_autofree HpStoreAppend *appends = g_new0(HpStoreAppend, n);
    g_autoptr(GArray) uids = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < n; i++) {
        g_autofree char *text = g_strdup_printf("Subject: %u\r\n\r\n%u\r\n", i, i);

        appends[i].draft = hp_store_draft(f->store);
        hp_content_draft_append(appends[i].draft, hp_slice_of(text), NULL);
        hp_content_draft_finish(appends[i].draft, NULL);
    }
    hp_store_append(f->store, mailbox, appends, n, &uids, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < n; i++)
        hp_content_draft_free(appends[i].draft);
}

gint64
store_mailbox_id(StoreFixture *f, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpStoreMailbox) mailbox = hp_store_find(f->store, name, &error);

    g_assert_no_error(error);
    return mailbox->id;
}

gint64
store_ask(StoreFixture *f, const char *sql)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    gint64 number;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

char *
store_sync(HpView *view, gboolean may_expunge)
{
    g_autoptr(GArray) news = hp_view_sync(view, may_expunge);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < news->len; i++) {
        const HpViewNews *one = &g_array_index(news, HpViewNews, i);

        if (text->len > 0)
            g_string_append_c(text, ' ');
        if (one->kind == HP_VIEW_GROWN)
            g_string_append_printf(text, "G%u", one->seq);
        else
            g_string_append_printf(text, "%c%u:%u",
                                   one->kind == HP_VIEW_EXPUNGED ? 'E' : 'C', one->seq,
                                   one->uid);
    }
    return g_string_free(text, FALSE);
}
