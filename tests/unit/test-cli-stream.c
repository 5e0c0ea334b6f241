#include "hp-cli-stream.h"

#include "hp-fs.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static GUnixFDList *
list_of(const char *text)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int pair[2];

    g_assert_cmpint(pipe(pair), ==, 0);
    g_assert_true(hp_fs_write_all(pair[1], hp_slice_of(text)));
    close(pair[1]);
    g_unix_fd_list_append(fds, pair[0], NULL);
    close(pair[0]);
    return g_steal_pointer(&fds);
}

static void
writes_a_new_private_file_only(void)
{
    g_autofree char *dir = g_dir_make_tmp("hp-stream-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "mail.eml", NULL);
    g_autoptr(GVariant) handle = g_variant_ref_sink(g_variant_new_handle(0));
    g_autoptr(GUnixFDList) first = list_of("one\r\n");
    g_autoptr(GUnixFDList) second = list_of("two\r\n");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    GStatBuf info;
    HpCli cli;

    hp_cli_init(&cli, stdin, stdout, stderr);
    g_assert_true(hp_cli_save_stream(&cli, handle, first, path, NULL));
    g_assert_false(hp_cli_save_stream(&cli, handle, second, path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "one\r\n");
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 07777, ==, 0600);
    hp_cli_clear(&cli);
    g_unlink(path);
    g_rmdir(dir);
}

static void
reads_a_secret(void)
{
    g_autoptr(GVariant) handle = g_variant_ref_sink(g_variant_new_handle(0));
    g_autoptr(GUnixFDList) fds = list_of("abcd-1234");
    g_autoptr(GUnixFDList) none = list_of("");
    g_autofree char *secret = hp_cli_read_secret(handle, fds, NULL);

    g_assert_cmpstr(secret, ==, "abcd-1234");
    g_assert_null(hp_cli_read_secret(handle, none, NULL));
    g_assert_null(hp_cli_read_secret(handle, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-stream/writes-a-new-private-file-only",
                    writes_a_new_private_file_only);
    g_test_add_func("/cli-stream/reads-a-secret", reads_a_secret);
    return g_test_run();
}
