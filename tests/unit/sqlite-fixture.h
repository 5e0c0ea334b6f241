/* sqlite-fixture: a database with one table in a folder of its own.
 *
 * Threads: one test at a time.
 */
#pragma once

#include "hp-sqlite.h"

#define APPLICATION 0x48507474

extern const char *const second_schema[]; /* two migrations */

typedef struct {
    char *dir;  /* (owned) */
    char *path; /* (owned) */
    HpDb *db;   /* (owned) (nullable) */
} Fixture;

HpDb *open_with(Fixture *f, const char *const *migrations, GError **error);
void reopen(Fixture *f);
void set_up(Fixture *f, gconstpointer unused);
void tear_down(Fixture *f, gconstpointer unused);

/* Works of the tests. */
gboolean add_named(HpDbConn *conn, gpointer name, GError **error);
gboolean add_large(HpDbConn *conn, gpointer name, GError **error); /* 100,000 octets */
gboolean remove_all(HpDbConn *conn, gpointer unused, GError **error);
gboolean write_named(HpDb *db, HpDbWork work, const char *name, GError **error);

/* The number that @sql gives; the second asks the writer's own connection. */
gint64 ask(HpDb *db, const char *sql);
gint64 ask_writer(HpDb *db, const char *sql);
gint64 count_things(HpDb *db);

/* Twenty times add_large(). */
void fill(HpDb *db);
