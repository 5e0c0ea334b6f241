/* no-readers: a database whose readers fail, because no file can be opened any more.
 *
 * The writer has its files open and goes on; the program's other files cannot be opened
 * either.
 *
 * Threads: one test at a time.
 */
#pragma once

#include "hp-sqlite.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* One that somebody had leased while the others were closed would still read. */
static inline gboolean
no_readers_is_one_left(HpDb *db)
{
    HpDbConn *conn;
    gboolean reads;

    g_usleep(20 * 1000); /* it is given back by now */
    conn = hp_db_lease(db);
    reads = hp_db_begin_snapshot(conn, NULL);
    hp_db_return(conn);
    return reads;
}

/* From here on; the limit that was there, for no_readers_end(). */
static inline struct rlimit
no_readers_begin(HpDb *db)
{
    struct rlimit before;
    struct rlimit none;
    int first_free;

    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    do {
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
        while (hp_db_tidy(db)) /* its last step closes the readers that are idle */
            continue;
        first_free = open("/dev/null", O_RDONLY | O_CLOEXEC);
        g_assert_cmpint(first_free, >=, 0);
        close(first_free);
        none.rlim_cur = (rlim_t)first_free;
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    } while (no_readers_is_one_left(db));
    return before;
}

static inline void
no_readers_end(const struct rlimit *before)
{
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, before), ==, 0);
}
