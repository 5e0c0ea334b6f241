#include "hp-notify-socket.h"

#include "hp-fs.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

gboolean
hp_notify_socket_send(const char *state)
{
    const char *name = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = name != NULL ? strlen(name) : 0;
    hp_autofd fd = -1;

    if (len < 2 || len >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
        return FALSE;
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 &&
           sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                  (const struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) >= 0;
}
