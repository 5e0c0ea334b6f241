/* hp-reload: brings changed settings into force, all or nothing.
 *
 * Threads: the control thread.
 */
#pragma once

#include "hp-parts.h"

/**
 * hp_reload:
 * @error: #HP_SETTINGS_ERROR "file:line: message", #G_FILE_ERROR or #HP_TLS_ERROR (of
 *    [delivery] ca-file); the old settings stay
 *
 * Reads hauspost.conf again. Sessions and deliveries that run keep what they began with;
 * ports, who may connect to them, name servers and the language of our own messages
 * change at the next start.
 */
gboolean hp_reload(HpParts *parts, GError **error);

/* The certificates of [delivery] ca-file, or of the system. @error: #HP_TLS_ERROR */
HpTlsTrust *hp_reload_trust(const HpSettings *settings, GError **error);

/* What carries mail out wants to know of the settings, but for the trust; what it learns
 * about the line goes to the link. The result points into @policy and @parts. */
HpSmtpTransportOptions hp_reload_transport_options(HpParts *parts,
                                                   const HpPolicy *policy);

/* What the queue wants to know of the settings. The result points into @policy and
 * @parts. */
HpQueueOptions hp_reload_queue_options(const HpParts *parts, const HpPolicy *policy);

/* The method of the bus. */
GVariant *hp_control_reload(HpBusCall *call, GError **error);
