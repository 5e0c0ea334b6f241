/* A mutated mail.db is an error, or opens for reading, or works; it never crashes or
 * hangs. The first byte says how the input is meant: 'r' is a whole file; otherwise the
 * rest are changes to a sound database: three bytes of offset, one that is added to the
 * byte there; an offset beyond the end cuts the file. */
#include "hp-fs.h"
#include "hp-store-messages.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGE_BYTES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    char *dir; /* (owned) */
    int dir_fd;
    GBytes *sound; /* (owned) (nullable) */
} World;

static gssize
read_some(gpointer unused, guint64 offset, char *buffer, size_t size, GError **error)
{
    size_t n = MIN(size, (size_t)(3000 - offset));

    for (size_t i = 0; i < n; i++)
        buffer[i] = 'm';
    return (gssize)n;
}

static void
deliver(HpStore *store, const char *origin)
{
    HpInbox inbox = hp_store_inbox(store);

    inbox.deliver(inbox.self, origin, 3000, NULL, read_some, NULL);
}

static GLogWriterOutput
drop(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    return G_LOG_WRITER_HANDLED;
}

static World world; /* nocheck: made once, as making it takes longer than a run */

static void
make_sound(void)
{
    static const guint32 second[] = { 2 };
    HpStore *store = hp_store_open(world.dir, world.dir_fd, &hp_clock_system, NULL);

    for (guint i = 0; i < 6; i++) {
        char origin[] = { (char)('a' + i), '\0' };

        deliver(store, origin);
    }
    hp_store_mark_collected(store, HP_STORE_INBOX, second, 1, NULL);
    hp_store_expunge(store, HP_STORE_INBOX, second, 1, NULL);
    hp_store_close(store);
    world.sound = hp_fs_read_at(world.dir_fd, "mail.db", 1 << 20, NULL);
    g_assert_nonnull(world.sound);
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static void
leave_world(void)
{
    close(world.dir_fd);
    nftw(world.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(world.dir);
    g_bytes_unref(world.sound);
}

static void
enter_world(void)
{
    if (world.sound != NULL)
        return;
    g_log_set_writer_func(drop, NULL, NULL);
    world.dir = g_dir_make_tmp("hp-fuzz-XXXXXX", NULL);
    world.dir_fd = open(world.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_sound();
    atexit(leave_world);
}

static GBytes *
mutate(GBytes *sound, const uint8_t *changes, size_t size)
{
    size_t len;
    const char *from = g_bytes_get_data(sound, &len);
    char *bytes = g_memdup2(from, len);

    for (; size >= CHANGE_BYTES; changes += CHANGE_BYTES, size -= CHANGE_BYTES) {
        size_t offset = (size_t)changes[0] << 16 | (size_t)changes[1] << 8 | changes[2];

        if (offset < len)
            bytes[offset] = (char)(bytes[offset] + changes[3]);
        else
            len = MIN(len, (size_t)changes[3] * 256);
    }
    return g_bytes_new_take(bytes, len);
}

static void
read_all(HpStore *store)
{
    g_autoptr(HpStoreSnapshot) snapshot = hp_store_snapshot(store, HP_STORE_INBOX, NULL);
    g_autoptr(GPtrArray) list = hp_store_list(store, NULL);

    g_assert(list == NULL || list->len < 1000);
    for (guint i = 0; snapshot != NULL && i < MIN(snapshot->entries->len, 20); i++) {
        g_autoptr(HpContent) content = hp_store_open_content(
            store, &g_array_index(snapshot->entries, HpStoreEntry, i), NULL);
        g_autoptr(GBytes) bytes =
            content != NULL ? hp_content_load(content, 1 << 16, NULL) : NULL;

        g_assert(bytes == NULL || g_bytes_get_size(bytes) <= 1 << 16);
    }
}

/* As an IMAP session does. */
static void
select_all(HpStore *store)
{
    HpView *view = hp_view_open(store, HP_STORE_INBOX, NULL, NULL);

    if (view == NULL)
        return;
    for (guint32 seq = 1; seq <= MIN(hp_view_len(view), 50); seq++) {
        g_autoptr(HpSummary) summary = NULL;
        g_autoptr(GBytes) header = NULL;
        HpViewEntry entry;

        if (!hp_view_get(view, seq, &entry))
            continue;
        summary = hp_store_summary(store, entry.content, NULL);
        header = hp_store_header(store, entry.content, NULL);
        g_assert(header == NULL || g_bytes_get_size(header) <= 1 << 20);
    }
    g_strfreev(hp_view_all_keywords(view));
    g_array_unref(hp_view_sync(view, TRUE));
    hp_view_close(view);
}

static void
change_all(HpStore *store)
{
    static const guint32 some[] = { 2, 3, 4 };
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_FLAGGED,
                                 .unchanged_since = G_MAXUINT64 };
    GArray *list = NULL;
    gint64 id;

    hp_store_create(store, "a/b", NULL, &id, NULL);
    hp_store_change_flags(store, HP_STORE_INBOX, some, 3, &change, NULL);
    if (hp_store_copy(store, HP_STORE_INBOX, some, 3, HP_STORE_INBOX, TRUE, &list, NULL))
        g_array_unref(list);
    hp_store_rename(store, "INBOX", "old", NULL);
    hp_store_delete(store, "a/b", NULL);
    list = hp_store_vanished(store, HP_STORE_INBOX, 0, NULL);
    if (list != NULL)
        g_array_unref(list);
}

static void
use(void)
{
    static const guint32 some[] = { 1, 3 };
    g_autoptr(GError) error = NULL;
    HpStoreCleanup cleanup = { .retention = { 1, 1, 1 } };
    HpStore *store = hp_store_open(world.dir, world.dir_fd, &hp_clock_system, &error);

    g_assert((store == NULL) == (error != NULL));
    if (store == NULL)
        return;
    read_all(store);
    select_all(store);
    deliver(store, "new");
    change_all(store);
    hp_store_mark_collected(store, HP_STORE_INBOX, some, 2, NULL);
    hp_store_expunge(store, HP_STORE_INBOX, some, 1, NULL);
    hp_store_cleanup(store, &cleanup, FALSE, NULL);
    hp_store_next_cleanup_usec(store, &cleanup.retention);
    hp_store_upkeep(store);
    hp_store_close(store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = NULL;
    hp_autofd fd = -1;

    if (size == 0)
        return 0;
    enter_world();
    bytes = data[0] == 'r' ? g_bytes_new(data + 1, size - 1)
                           : mutate(world.sound, data + 1, size - 1);
    unlinkat(world.dir_fd, "mail.db-wal", 0);
    unlinkat(world.dir_fd, "mail.db-shm", 0);
    fd = openat(world.dir_fd, "mail.db", O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_true(hp_fs_write_all(fd, hp_slice_of_bytes(bytes)));
    use();
    return 0;
}
