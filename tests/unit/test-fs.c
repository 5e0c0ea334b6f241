#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *dir; /* (owned) */
    int dir_fd;
} Fixture;

static void
set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("hp-fs-XXXXXX", NULL);
    f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    close(f->dir_fd);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(f->dir);
}

static mode_t
mode_of(int dir_fd, const char *name)
{
    struct stat info;

    g_assert_cmpint(fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW), ==, 0);
    return info.st_mode & 07777;
}

static void
makes_a_private_folder_and_its_parents(Fixture *f, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(f->dir, "a", "b", "c", NULL);
    g_autofree char *slashed = g_strconcat(path, "/", NULL);
    mode_t before = umask(0777);
    g_autoptr(GError) error = NULL;
    hp_autofd fd = -1;
    hp_autofd again = -1;

    umask(0);
    fd = hp_fs_open_private_dir(path, &error);
    umask(before);
    g_assert_no_error(error);
    g_assert_cmpuint(mode_of(f->dir_fd, "a/b/c"), ==, 0700);
    again = hp_fs_open_private_dir(slashed, &error);
    g_assert_no_error(error);
    g_assert_cmpint(faccessat(f->dir_fd, "a/b/c/c", F_OK, 0), ==, -1);
}

static void
is_private_under_a_strict_umask(Fixture *f, gconstpointer unused)
{
    mode_t before = umask(0277);
    g_autoptr(GError) error = NULL;
    hp_autofd fd = hp_fs_open_private_subdir(f->dir_fd, "x", &error);

    umask(before);
    if (fd >= 0) /* only root opens what it may not read */
        g_assert_cmpuint(mode_of(f->dir_fd, "x"), ==, 0700);
}

static void
takes_rights_of_reading_away(Fixture *f, gconstpointer unused)
{
    hp_autofd fd = -1;

    g_assert_cmpint(mkdirat(f->dir_fd, "open", 0755), ==, 0);
    fd = hp_fs_open_private_subdir(f->dir_fd, "open", NULL);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(mode_of(f->dir_fd, "open"), ==, 0700);
}

static void
refuse(Fixture *f, const char *name, const char *why)
{
    g_autoptr(GError) error = NULL;
    int fd = hp_fs_open_private_subdir(f->dir_fd, name, &error);

    g_assert_cmpint(fd, ==, -1);
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_PERM);
    g_assert_nonnull(strstr(error->message, why));
}

static void
refuses_what_others_could_have_prepared(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(mkdirat(f->dir_fd, "writable", 0700), ==, 0);
    g_assert_cmpint(fchmodat(f->dir_fd, "writable", 0770, 0), ==, 0);
    refuse(f, "writable", "written to by others");
    g_assert_cmpint(symlinkat("writable", f->dir_fd, "link"), ==, 0);
    refuse(f, "link", "symbolic link");
    close(openat(f->dir_fd, "file", O_CREAT | O_WRONLY, 0600));
    refuse(f, "file", "not a folder");
    if (geteuid() == 0) {
        g_assert_cmpint(mkdirat(f->dir_fd, "foreign", 0700), ==, 0);
        g_assert_cmpint(fchownat(f->dir_fd, "foreign", 12345, 12345, 0), ==, 0);
        refuse(f, "foreign", "another user");
    }
}

static void
lets_one_holder_lock(Fixture *f, gconstpointer unused)
{
    int first = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_fs_lock_dir(first, NULL));
    g_assert_false(hp_fs_lock_dir(f->dir_fd, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN);
    close(first);
    g_assert_true(hp_fs_lock_dir(f->dir_fd, NULL));
}

static void
replaces_a_file_whole(Fixture *f, gconstpointer unused)
{
    mode_t before = umask(0);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_fs_replace_at(f->dir_fd, "x", hp_slice_of("old"), NULL));
    close(openat(f->dir_fd, ".x.new", O_CREAT | O_WRONLY, 0644)); /* a crash left it */
    g_assert_true(hp_fs_replace_at(f->dir_fd, "x", HP_SLICE_LITERAL("a\0b"), NULL));
    umask(before);
    g_assert_cmpuint(mode_of(f->dir_fd, "x"), ==, 0600);
    g_assert_cmpint(faccessat(f->dir_fd, ".x.new", F_OK, 0), ==, -1);
    bytes = hp_fs_read_at(f->dir_fd, "x", 100, NULL);
    g_assert_true(hp_slice_equal(hp_slice_of_bytes(bytes), HP_SLICE_LITERAL("a\0b")));

    g_assert_cmpint(mkdirat(f->dir_fd, "d", 0700), ==, 0);
    g_assert_false(hp_fs_replace_at(f->dir_fd, "d", hp_slice_of("x"), &error));
    g_assert_nonnull(error);
    g_assert_cmpint(faccessat(f->dir_fd, ".d.new", F_OK, 0), ==, -1);
}

static void
reads_only_small_plain_files(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_fs_replace_at(f->dir_fd, "x", hp_slice_of("12345"), NULL));
    g_assert_null(hp_fs_read_at(f->dir_fd, "x", 4, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
    g_clear_error(&error);
    g_assert_null(hp_fs_read_at(f->dir_fd, "y", 4, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_clear_error(&error);
    g_assert_cmpint(mkfifoat(f->dir_fd, "pipe", 0600), ==, 0);
    g_assert_null(hp_fs_read_at(f->dir_fd, "pipe", 4, &error)); /* and does not wait */
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
    g_clear_error(&error);
    g_assert_cmpint(symlinkat("x", f->dir_fd, "link"), ==, 0);
    g_assert_null(hp_fs_read_at(f->dir_fd, "link", 100, &error));
    g_assert_nonnull(error);
}

static void
knows_the_free_space(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(hp_fs_free_bytes(f->dir_fd), >=, 0);
    g_assert_cmpint(hp_fs_free_bytes(-1), ==, -1);
}

static void
says_verb_name_and_reason(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    errno = ENOSPC;
    g_assert_false(hp_fs_fail(&error, "write", "mail"));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_assert_true(g_str_has_prefix(error->message, "could not write mail: "));
}

static void
a_quota_is_a_full_disk(Fixture *f, gconstpointer unused)
{
    static const int numbers[] = { ENOSPC, EDQUOT, EFBIG };

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(GError) error = NULL;

        errno = numbers[i];
        g_assert_false(hp_fs_fail(&error, "write", "mail"));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
        g_assert_nonnull(strstr(error->message, g_strerror(numbers[i])));
    }
}

#define CASE(path, name) g_test_add("/fs/" path, Fixture, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("makes-a-private-folder-and-its-parents",
         makes_a_private_folder_and_its_parents);
    CASE("is-private-under-a-strict-umask", is_private_under_a_strict_umask);
    CASE("takes-rights-of-reading-away", takes_rights_of_reading_away);
    CASE("refuses-what-others-could-have-prepared",
         refuses_what_others_could_have_prepared);
    CASE("lets-one-holder-lock", lets_one_holder_lock);
    CASE("replaces-a-file-whole", replaces_a_file_whole);
    CASE("reads-only-small-plain-files", reads_only_small_plain_files);
    CASE("knows-the-free-space", knows_the_free_space);
    CASE("says-verb-name-and-reason", says_verb_name_and_reason);
    CASE("a-quota-is-a-full-disk", a_quota_is_a_full_disk);
    return g_test_run();
}
