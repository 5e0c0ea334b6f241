/* hp-control: what the daemon answers on D-Bus.
 *
 * Threads: the control thread.
 */
#pragma once

#include "hp-bus.h"
#include "hp-parts.h"

/* The rows of org.hauspost.Hauspost1, ended by an empty one; the context is an HpParts.
 */
const HpBusMethod *hp_control_methods(void);

/* The value of a property, (nullable). */
GVariant *hp_control_property(gpointer parts, const char *name);
