/* daemon-fixture: all parts of the daemon as hp-daemon joins them, in a folder of its
 * own, with clocks that obey the test. Nothing goes out: the queue is open, but not
 * started.
 *
 * Threads: one test at a time.
 */
#pragma once

#include "hp-parts.h"

#define FIXTURE_SETTINGS                                                                 \
    "[account]\naddress=anna@home.example\nname=Anna\n"                                  \
    "[identity shop]\naddress=shop@home.example\n"                                       \
    "[listen]\nsmtp=0\nsmtp-tls=0\npop3=0\npop3-tls=0\nimap=0\nimap-tls=0\n"             \
    "[mail]\npop3-retention=30d\n"

typedef struct {
    char *folder; /* (unowned): all that it has is in it */
    HpParts parts;
    int state_fd;
    int data_fd;
    GDBusConnection *client; /* (owned) (nullable) */
} Fixture;

/* @data: (nullable): settings instead of FIXTURE_SETTINGS. */
void fixture_set_up(Fixture *self, gconstpointer data);
void fixture_tear_down(Fixture *self, gconstpointer data);

/* Writes hauspost.conf. */
void fixture_write_settings(Fixture *self, const char *text);

/* Lets time pass: all clocks. */
void fixture_pass(gint64 usec);

/* Puts a message into the queue; its id. */
char *fixture_submit(Fixture *self, const char *address);

/* The same under an id of the test's choice. */
void fixture_submit_as(Fixture *self, const char *id, const char *address);

/* Puts a message into INBOX: under a new name of the hand-over, or (without effect if it
 * is known) under that one. Its uid. */
guint32 fixture_deliver(Fixture *self);
void fixture_deliver_as(Fixture *self, const char *origin);
guint fixture_inbox_len(Fixture *self);

/* Calls a method as a client of the control socket does. @args: (nullable): floating is
 * taken. The second reads the descriptor that is the answer to its end. */
GVariant *fixture_call(Fixture *self, const char *method, GVariant *args, GError **error);
char *fixture_call_for_text(Fixture *self, const char *method, GVariant *args,
                            GError **error);

/* The connection that the calls go over, made when it is needed. (transfer none) */
GDBusConnection *fixture_client(Fixture *self);

/* Waits until @condition is true; fails the test after 20 s. */
void fixture_wait(gboolean (*condition)(gpointer data), gpointer data);

/* Different ports that are free at the moment, on 127.0.0.1 and on ::1. */
void fixture_find_ports(guint16 *ret_ports, guint n);

/* Puts settings into force without a reload. */
void fixture_set(Fixture *self, const char *text);
