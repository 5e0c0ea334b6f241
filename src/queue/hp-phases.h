/* hp-phases: which deliveries have begun their final dot, kept where kill -9 leaves it.
 *
 * A small file in the runtime folder, mapped shared: the kernel keeps its pages when the
 * process dies, and loses them with the boot. So at the next start an attempt that has no
 * result was certainly not delivered if its dot was not begun in the same boot; in every
 * other case nobody knows.
 *
 * Threads: a slot belongs to one delivery at a time; the other calls to any thread.
 */
#pragma once

#include <glib.h>

#define HP_PHASES_SLOTS 256 /* deliveries at once */

typedef struct _HpPhases HpPhases;

/**
 * hp_phases_open:
 * @path: of the file; made (0600) if it is missing
 * @boot_id: (nullable): that of this boot; %NULL: the kernel's
 *
 * What the last process left stays readable until hp_phases_renew().
 */
HpPhases *hp_phases_open(const char *path, const char *boot_id, GError **error);
void hp_phases_close(HpPhases *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPhases, hp_phases_close)

/* May the attempt have been delivered? @attempt: not 0. */
gboolean hp_phases_may_have_arrived(const HpPhases *self, gint64 attempt);

/* Forgets the last process' deliveries; from now on the map is this boot's. */
void hp_phases_renew(HpPhases *self);

/* The slot works on @attempt now (0: on none), its dot not begun. */
void hp_phases_begin(HpPhases *self, guint slot, gint64 attempt);

/* A final dot of the slot's message is about to be sent: one for each transaction that
 * its recipients need. %FALSE if hp_phases_withdraw() was first. */
gboolean hp_phases_begin_dot(HpPhases *self, guint slot);

/* Calls the slot's message off, which may be said twice. %FALSE if a dot was begun. */
gboolean hp_phases_withdraw(HpPhases *self, guint slot);
