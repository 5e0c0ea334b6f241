/* Copies of mail.db from the last days: with one of them and the files in messages/ a
 * lost database is made again. */
#include "hp-fs.h"
#include "hp-log.h"
#include "hp-store-private.h"

#include <errno.h>
#include <unistd.h>

#define FOLDER  "snapshots"
#define KEPT    7                              /* one a day */
#define SPARE   (HP_CONTENT_DISK_RESERVE * 16) /* octets that stay free */
#define OPENING "mail-"

/* What is computed again when it is asked for needs no copy. */
static const char *const spared_tables[] = { "summary", NULL };

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

/* Oldest first. */
static GPtrArray *
list_snapshots(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, OPENING) && g_str_has_suffix(name, ".db"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

static void
remove_old(int folder_fd, const char *folder)
{
    g_autoptr(GPtrArray) names = list_snapshots(folder);

    for (guint i = 0; i + KEPT < names->len; i++)
        if (unlinkat(folder_fd, names->pdata[i], 0) != 0 && errno != ENOENT)
            hp_log("store", NULL, G_LOG_LEVEL_WARNING, "an old snapshot stays: %s",
                   g_strerror(errno));
}

static gboolean
has_room(HpStore *self)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        "");
    gint64 octets = hp_db_step(stmt, NULL) ? hp_db_int(stmt, 0) : 0;

    hp_db_reset(stmt);
    return hp_contents_has_room(self->contents, (guint64)MAX(octets, 0) + SPARE);
}

static char *
path_of_today(HpStore *self)
{
    g_autofree char *time =
        hp_clock_format_rfc3339(hp_clock_now_usec(self->clock, HP_CLOCK_WALL));

    return g_strdup_printf("%s/" FOLDER "/" OPENING "%.10s.db", self->data_path, time);
}

gboolean
hp_store_wants_snapshot(HpStore *self)
{
    g_autofree char *path = path_of_today(self);

    return !g_file_test(path, G_FILE_TEST_EXISTS) && has_room(self);
}

void
hp_store_take_snapshot(HpStore *self)
{
    g_autofree char *folder = g_build_filename(self->data_path, FOLDER, NULL);
    g_autofree char *path = path_of_today(self);
    g_autoptr(GError) error = NULL;
    hp_autofd folder_fd = -1;

    folder_fd = hp_fs_open_private_dir(folder, &error);
    if (folder_fd < 0 ||
        !hp_db_copy(self->db, &(HpDbCopy){ .path = path, .spare = spared_tables },
                    &error)) {
        hp_log("store", NULL, G_LOG_LEVEL_WARNING, "no snapshot of mail.db today: %s",
               error->message);
        return;
    }
    remove_old(folder_fd, folder);
}

char *
hp_store_last_snapshot(const char *data_path)
{
    g_autofree char *folder = g_build_filename(data_path, FOLDER, NULL);
    g_autoptr(GPtrArray) names = list_snapshots(folder);

    return names->len > 0 ? g_build_filename(folder, names->pdata[names->len - 1], NULL)
                          : NULL;
}
