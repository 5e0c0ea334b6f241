/* hp-intake: where an SMTP server puts the messages it accepts. The queue implements it;
 * the server knows only this table.
 *
 * Threads: any connection thread; a draft belongs to one.
 */
#pragma once

#include "hp-envelope.h"
#include "hp-slice.h"

#define HP_INTAKE_ERROR (hp_intake_error_quark())
GQuark hp_intake_error_quark(void);

/**
 * HpIntakeError:
 * @HP_INTAKE_ERROR_FULL: no room on the disk (452 4.3.1)
 * @HP_INTAKE_ERROR_BROKEN: the disk or the database fails (451 4.3.0)
 */
typedef enum {
    HP_INTAKE_ERROR_FULL,
    HP_INTAKE_ERROR_BROKEN,
} HpIntakeError;

typedef struct _HpIntakeDraft HpIntakeDraft;

typedef struct {
    gpointer self; /* (unowned) */

    /* Begins a message. @size_hint: octets announced by SIZE, 0 if unknown; FULL if they
     * would leave less than the reserve of 16 MB on the disk. */
    HpIntakeDraft *(*begin)(gpointer self, guint64 size_hint, GError **error);

    /* Adds bytes, CRLF lines. May write to disk. After a failure only abandon is legal.
     */
    gboolean (*append)(HpIntakeDraft *draft, HpSlice bytes, GError **error);

    /* Makes it durable: when this returns %TRUE, the message survives any crash and may
     * be acknowledged. Frees the draft in any case. @ret_id: (transfer full). */
    gboolean (*commit)(HpIntakeDraft *draft, const HpEnvelope *envelope, char **ret_id,
                       GError **error);

    /* Forgets and frees the draft. */
    void (*abandon)(HpIntakeDraft *draft);
} HpIntake;
