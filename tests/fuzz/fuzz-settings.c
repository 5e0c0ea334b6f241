/* Settings are read or refused with a message; what was read can be changed by the editor
 * and read again, and then only that key differs. */
#include "hp-settings-edit.h"
#include "hp-settings.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SMTP, PLAIN, GRACE, SIZE, LANGUAGE, SERVERS, RELAY };

static const HpSettingSpec specs[] = {
    [SMTP] = { "listen", "smtp", HP_SETTING_NUMBER, "10587", 0, 65535 },
    [PLAIN] = { "listen", "plaintext", HP_SETTING_YES_NO, "yes" },
    [GRACE] = { "delivery", "grace", HP_SETTING_DURATION, "0s", 0, 3600 },
    [SIZE] = { "mail", "max-message-size", HP_SETTING_SIZE, "50M" },
    [LANGUAGE] = { "account", "language", HP_SETTING_CHOICE, "en", .choices = "en|de" },
    [SERVERS] = { "dns", "servers", HP_SETTING_LIST, "" },
    [RELAY] = { "identity", "relay", HP_SETTING_TEXT, "auto", .named = TRUE },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const HpSettingTable table = { specs, G_N_ELEMENTS(specs) };
    const HpSlice text = { (const char *)data, size };
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) settings = hp_settings_parse(table, "f", text, &error);
    g_autofree char *changed = NULL;
    g_autofree char *unset = NULL;
    g_autoptr(HpSettings) again = NULL;
    g_autoptr(HpSettings) before = NULL;
    g_auto(GStrv) servers = NULL;

    g_assert((settings == NULL) == (error != NULL));
    if (settings == NULL)
        return 0;
    servers = hp_settings_list(settings, SERVERS, NULL);
    changed = hp_settings_edit_set(text, "listen", "smtp", "2525");
    again = hp_settings_parse(table, "f", hp_slice_of(changed), NULL);
    g_assert(again != NULL);
    g_assert(hp_settings_number(again, SMTP, NULL) == 2525);
    g_assert(hp_settings_number(again, GRACE, NULL) ==
             hp_settings_number(settings, GRACE, NULL));
    g_assert(g_str_equal(hp_settings_text(again, LANGUAGE, NULL),
                         hp_settings_text(settings, LANGUAGE, NULL)));
    unset = hp_settings_edit_unset(hp_slice_of(changed), "listen", "smtp", NULL);
    before = hp_settings_parse(table, "f", hp_slice_of(unset), NULL);
    g_assert(before != NULL);
    g_assert(hp_settings_line(before, SMTP, NULL) == 0);
    g_assert(g_str_equal(hp_settings_text(before, LANGUAGE, NULL),
                         hp_settings_text(settings, LANGUAGE, NULL)));
    return 0;
}
