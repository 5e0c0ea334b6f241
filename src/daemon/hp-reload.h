/* hp-reload: brings changed settings into force, all or nothing.
 *
 * Threads: the control thread.
 */
#pragma once

#include "hp-parts.h"

/**
 * hp_reload:
 * @error: #HP_SETTINGS_ERROR "file:line: message"; the old settings stay
 *
 * Reads hauspost.conf again. Sessions that run keep what they began with; ports and name
 * servers change at the next start.
 */
gboolean hp_reload(HpParts *parts, GError **error);

/* What the queue wants to know of the settings. The result points into @policy and
 * @parts. */
HpQueueOptions hp_reload_queue_options(const HpParts *parts, const HpPolicy *policy);

/* The method of the bus. */
GVariant *hp_control_reload(HpBusCall *call, GError **error);
