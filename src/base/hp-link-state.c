#include "hp-link-state.h"

const char *
hp_link_state_name(HpLinkState state)
{
    static const char *const names[] = { "ok", "offline", "captive", "no_dns", "no_25" };

    return names[state];
}
