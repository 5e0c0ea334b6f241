#include "hp-cli-stream.h"

#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define LONGEST_SECRET 1000 /* bytes */

static int
take_fd(GVariant *handle, GUnixFDList *fds, GError **error)
{
    if (fds == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    _("the mail server sent nothing"));
        return -1;
    }
    return g_unix_fd_list_get(fds, g_variant_get_handle(handle), error);
}

static ssize_t
read_some(int fd, char *buffer, size_t size)
{
    ssize_t n;

    do {
        n = read(fd, buffer, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static gboolean
copy(int from, int to, const char *name, GError **error)
{
    char buffer[16384];
    ssize_t n;

    while ((n = read_some(from, buffer, sizeof buffer)) > 0)
        if (!hp_fs_write_all(to, (HpSlice){ buffer, (size_t)n }))
            return hp_fs_fail(error, N_("write"), name);
    return n == 0 ? TRUE : hp_fs_fail(error, N_("read"), name);
}

gboolean
hp_cli_save_stream(HpCli *cli, GVariant *handle, GUnixFDList *fds, const char *path,
                   GError **error)
{
    hp_autofd from = take_fd(handle, fds, error);
    hp_autofd to = -1;

    if (from < 0)
        return FALSE;
    if (path == NULL) {
        fflush(cli->out);
        return copy(from, fileno(cli->out), _("the output"), error);
    }
    to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return hp_fs_fail(error, N_("create"), path);
    return copy(from, to, path, error);
}

char *
hp_cli_read_secret(GVariant *handle, GUnixFDList *fds, GError **error)
{
    hp_autofd fd = take_fd(handle, fds, error);
    g_autofree char *secret = g_malloc0(LONGEST_SECRET + 1);
    size_t have = 0;
    ssize_t n = 1;

    if (fd < 0)
        return NULL;
    while (have < LONGEST_SECRET && n > 0) {
        n = read_some(fd, secret + have, LONGEST_SECRET - have);
        have += n > 0 ? (size_t)n : 0;
    }
    if (n >= 0 && have > 0)
        return g_steal_pointer(&secret);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                _("the password could not be read from the mail server"));
    return NULL;
}
