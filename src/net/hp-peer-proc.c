#include "hp-peer-internal.h"

#include "hp-fs.h"
#include "hp-slice.h"

#include <glib/gi18n.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 512 /* a line of /proc/net/tcp6 has 180 */
#define NAME_MAX_OCTETS 256

/* One line of /proc/net/tcp or tcp6 (proc(5)). */
typedef struct {
    guint8 address[16]; /* IPv4 as ::ffff:a.b.c.d, network order */
    guint16 port;
    guint8 peer_address[16];
    guint16 peer_port;
    guint state;
    guint32 uid;
    guint64 inode;
} Row;

static gboolean
take_hex(HpCursor *c, size_t digits, guint32 *ret_number)
{
    guint32 number = 0;

    if (hp_cursor_rest(c).len < digits)
        return FALSE;
    for (size_t i = 0; i < digits; i++) {
        int value = g_ascii_xdigit_value(c->at[i]);

        if (value < 0)
            return FALSE;
        number = number << 4 | (guint32)value;
    }
    c->at += digits;
    *ret_number = number;
    return TRUE;
}

/* address = 1*4word ":" port; each word is in the byte order of the machine */
static gboolean
take_address(HpCursor *c, guint8 *ret_address, guint16 *ret_port)
{
    guint32 words[4] = { 0, 0, htonl(0xFFFF), 0 };
    guint n = 0;
    guint32 port;

    while (n < 4 && take_hex(c, 8, &words[n]))
        n++;
    if (n == 1) {
        words[3] = words[0];
        words[0] = 0;
    } else if (n != 4)
        return FALSE;
    if (!hp_cursor_skip(c, ':') || !take_hex(c, 4, &port))
        return FALSE;
    memcpy(ret_address, words, sizeof words);
    *ret_port = (guint16)port;
    return TRUE;
}

static gboolean
is_space(unsigned char byte)
{
    return byte == ' ';
}

static gboolean
is_not_space(unsigned char byte)
{
    return byte != ' ';
}

static void
skip_fields(HpCursor *c, guint n)
{
    for (guint i = 0; i < n; i++) {
        hp_cursor_take(c, is_space);
        hp_cursor_take(c, is_not_space);
    }
    hp_cursor_take(c, is_space);
}

static gboolean
parse_row(HpSlice line, Row *ret_row)
{
    HpCursor c = hp_cursor_over(line);
    Row row;
    guint64 uid;
    guint32 state;

    skip_fields(&c, 1); /* "12:" */
    if (!take_address(&c, row.address, &row.port))
        return FALSE;
    skip_fields(&c, 0);
    if (!take_address(&c, row.peer_address, &row.peer_port))
        return FALSE;
    skip_fields(&c, 0);
    if (!take_hex(&c, 2, &state))
        return FALSE;
    skip_fields(&c, 3); /* queues, timer, retransmissions */
    if (!hp_cursor_take_number(&c, G_MAXUINT32, &uid))
        return FALSE;
    skip_fields(&c, 1); /* timeout */
    if (!hp_cursor_take_number(&c, G_MAXUINT64, &row.inode))
        return FALSE;
    row.state = state;
    row.uid = (guint32)uid;
    *ret_row = row;
    return TRUE;
}

/* Returns %TRUE when @row is the one that was looked for. */
typedef gboolean (*RowTest)(const Row *row, gconstpointer data);

/* Returns %FALSE if the file cannot be read. @ret_found: the row that passed the test. */
static gboolean
search_file(const char *path, RowTest test, gconstpointer data, Row *ret_row,
            gboolean *ret_found)
{
    FILE *file = fopen(path, "re");
    char line[LINE_MAX_OCTETS];
    Row row;

    if (file == NULL)
        return FALSE;
    while (!*ret_found && fgets(line, sizeof line, file) != NULL) {
        if (parse_row(hp_slice_of(line), &row) && test(&row, data)) {
            *ret_row = row;
            *ret_found = TRUE;
        }
    }
    fclose(file);
    return TRUE;
}

/* A socket of family AF_INET6 may well have an IPv4 connection, so both are read. */
static gboolean
search(RowTest test, gconstpointer data, Row *ret_row, gboolean *ret_found)
{
    gboolean readable;

    *ret_found = FALSE;
    readable = search_file("/proc/net/tcp", test, data, ret_row, ret_found);
    if (*ret_found)
        return TRUE;
    return search_file("/proc/net/tcp6", test, data, ret_row, ret_found) || readable;
}

static void
flatten(const struct sockaddr_storage *from, guint8 *ret_address, guint16 *ret_port)
{
    guint32 words[4] = { 0, 0, htonl(0xFFFF), 0 };

    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;

        words[3] = in4->sin_addr.s_addr;
        memcpy(ret_address, words, sizeof words);
        *ret_port = ntohs(in4->sin_port);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

        memcpy(ret_address, &in6->sin6_addr, sizeof in6->sin6_addr);
        *ret_port = ntohs(in6->sin6_port);
    }
}

/* The peer's own socket: its address is what we call the peer's. */
static gboolean
is_peer(const Row *row, gconstpointer data)
{
    const HpPeerTuple *tuple = data;
    guint8 address[16];
    guint8 peer_address[16];
    guint16 port;
    guint16 peer_port;

    flatten(&tuple->peer, address, &port);
    flatten(&tuple->own, peer_address, &peer_port);
    return row->port == port && row->peer_port == peer_port &&
           memcmp(row->address, address, sizeof address) == 0 &&
           memcmp(row->peer_address, peer_address, sizeof peer_address) == 0;
}

HpPeerAnswer
hp_peer_ask_proc(const HpPeerTuple *tuple, guint32 *ret_uid)
{
    Row row;
    gboolean found;

    if (!search(is_peer, tuple, &row, &found))
        return HP_PEER_CANNOT_TELL;
    if (!found || row.state != TCP_ESTABLISHED || row.inode == 0)
        return HP_PEER_GONE;
    *ret_uid = row.uid;
    return HP_PEER_FOUND;
}

static gboolean
has_open(const char *pid, const char *link)
{
    g_autofree char *folder = g_build_filename("/proc", pid, "fd", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    gboolean found = FALSE;

    while (!found && dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        char target[NAME_MAX_OCTETS];
        ssize_t n = readlink(path, target, sizeof target - 1);

        if (n > 0) {
            target[n] = '\0';
            found = g_str_equal(target, link);
        }
    }
    return found;
}

/* One of ours on the other family's address is not the culprit. */
static gboolean
is_listener(const Row *row, gconstpointer data)
{
    g_autofree char *link = NULL;

    if (row->state != TCP_LISTEN || row->port != *(const guint16 *)data)
        return FALSE;
    link = g_strdup_printf("socket:[%" G_GUINT64_FORMAT "]", row->inode);
    return !has_open("self", link);
}

static char *
name_of(const char *pid)
{
    g_autofree char *path = g_build_filename("/proc", pid, "comm", NULL);
    g_autofree char *name = NULL;

    if (!g_file_get_contents(path, &name, NULL, NULL))
        return g_strdup_printf(_("process %s"), pid);
    return g_strdup_printf(_("%s (process %s)"), g_strchomp(name), pid);
}

static char *
owner_name(guint32 uid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[4096];

    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
        return g_strdup_printf(_("a program of the user %s"), entry.pw_name);
    return g_strdup_printf(_("a program of the user number %u"), uid);
}

char *
hp_peer_find_listener(guint16 port)
{
    g_autoptr(GDir) dir = NULL;
    g_autofree char *link = NULL;
    const char *pid;
    Row row;
    gboolean found;

    if (!search(is_listener, &port, &row, &found) || !found)
        return NULL;
    link = g_strdup_printf("socket:[%" G_GUINT64_FORMAT "]", row.inode);
    dir = g_dir_open("/proc", 0, NULL);
    while (dir != NULL && (pid = g_dir_read_name(dir)) != NULL) {
        if (g_ascii_isdigit(pid[0]) && has_open(pid, link))
            return name_of(pid);
    }
    return owner_name(row.uid);
}
