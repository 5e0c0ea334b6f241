/* store-fixture: a store in a folder of its own, with a clock that is moved by hand.
 *
 * Threads: the test's.
 */
#pragma once

#include "hp-store-messages.h"

#define START_USEC ((gint64)1700000000 * G_USEC_PER_SEC)

typedef struct {
    char *dir; /* (owned) */
    int dir_fd;
    HpStore *store; /* (owned) (nullable) */
    gint64 now_usec;
    HpClock clock;
} StoreFixture;

void store_fixture_start(StoreFixture *f);
void store_fixture_stop(StoreFixture *f);
void store_fixture_set_up(StoreFixture *f, gconstpointer unused);
void store_fixture_tear_down(StoreFixture *f, gconstpointer unused);

/* Appends @text; returns its uid. @keywords: (nullable): separated by spaces. */
guint32 store_append(StoreFixture *f, gint64 mailbox, const char *text, guint32 flags,
                     const char *keywords);

/* @n messages with different texts. */
void store_fill(StoreFixture *f, gint64 mailbox, guint n);

gint64 store_mailbox_id(StoreFixture *f, const char *name);

/* The number that @sql gives, asked by another connection. */
gint64 store_ask(StoreFixture *f, const char *sql);

/* News as text: "E3:7" (seq:uid), "C2:5", "G9", separated by spaces. */
char *store_sync(HpView *view, gboolean may_expunge);
