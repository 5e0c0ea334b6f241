#include "hp-control-methods.h"

#include "hp-control-error.h"
#include "hp-fs.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>
#include <sys/mman.h>
#include <unistd.h>

GVariant *
hp_control_answer_fd(HpBusCall *call, HpSlice bytes, GError **error)
{
    hp_autofd fd = memfd_create("hauspost", MFD_CLOEXEC);
    int index;

    if (fd < 0 || !hp_fs_write_all(fd, bytes) || lseek(fd, 0, SEEK_SET) != 0) {
        hp_fs_fail(error, N_("answer with"), "a descriptor");
        return NULL;
    }
    call->ret_fds = g_unix_fd_list_new();
    index = g_unix_fd_list_append(call->ret_fds, fd, error);
    return index >= 0 ? g_variant_new("(h)", index) : NULL;
}

static HpControlError
code_of(const GError *cause)
{
    if (g_error_matches(cause, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND) ||
        g_error_matches(cause, HP_AUTH_ERROR, HP_AUTH_ERROR_NOT_FOUND) ||
        g_error_matches(cause, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND))
        return HP_CONTROL_ERROR_NOT_FOUND;
    if (g_error_matches(cause, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE) ||
        g_error_matches(cause, HP_QUEUE_ERROR, HP_QUEUE_ERROR_HELD))
        return HP_CONTROL_ERROR_STATE;
    if (g_error_matches(cause, HP_AUTH_ERROR, HP_AUTH_ERROR_EXISTS) ||
        g_error_matches(cause, HP_AUTH_ERROR, HP_AUTH_ERROR_NAME) ||
        g_error_matches(cause, HP_STORE_ERROR, HP_STORE_ERROR_EXISTS) ||
        g_error_matches(cause, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED))
        return HP_CONTROL_ERROR_INVALID;
    return HP_CONTROL_ERROR_FAILED;
}

GVariant *
hp_control_fail(GError *cause, GError **error)
{
    g_autoptr(GError) owned = cause;

    g_set_error_literal(error, HP_CONTROL_ERROR, (gint)code_of(owned), owned->message);
    return NULL;
}

void
hp_control_add_time(GVariantDict *dict, const char *key, gint64 wall_usec)
{
    g_autofree char *text = NULL;

    if (wall_usec <= 0 || wall_usec == G_MAXINT64)
        return;
    text = hp_clock_format_rfc3339(wall_usec);
    g_variant_dict_insert(dict, key, "s", text);
}
