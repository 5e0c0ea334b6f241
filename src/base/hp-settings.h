/* hp-settings: a key file, checked line by line against a table of what may stand in it.
 *
 *   file    = *( blank | comment | header | setting )      one a line, LF or CRLF
 *   comment = "#" anything                                  on a line of its own
 *   header  = "[" section [ " " name ] "]"
 *   setting = key "=" value                                 blanks around both dropped
 *
 * Values are taken literally, without escapes. Lists are separated by commas, semicolons
 * or blanks.
 *
 * Threads: HpSettings is immutable and atomically counted: any.
 */
#pragma once

#include "hp-slice.h"

/* A larger file is not one that a person wrote. */
#define HP_SETTINGS_MAX_BYTES (1 << 20)

#define HP_SETTINGS_ERROR (hp_settings_error_quark())
GQuark hp_settings_error_quark(void);

/**
 * HpSettingsError:
 * @HP_SETTINGS_ERROR_INVALID: the file is wrong; each line of the message is one problem,
 *    "file:line: sentence"
 * @HP_SETTINGS_ERROR_NOT_FOUND: there is no such key; the message names the nearest one
 * @HP_SETTINGS_ERROR_VALUE: the value does not fit the key
 * @HP_SETTINGS_ERROR_INCOMPLETE: nothing is wrong, but what must be said is not
 */
typedef enum {
    HP_SETTINGS_ERROR_INVALID,
    HP_SETTINGS_ERROR_NOT_FOUND,
    HP_SETTINGS_ERROR_VALUE,
    HP_SETTINGS_ERROR_INCOMPLETE,
} HpSettingsError;

typedef enum {
    HP_SETTING_TEXT,
    HP_SETTING_YES_NO,
    HP_SETTING_NUMBER,
    HP_SETTING_DURATION, /* "30s", "5m", "4h", "30d"; seconds */
    HP_SETTING_SIZE,     /* "500K", "50M", "2G"; bytes */
    HP_SETTING_CHOICE,   /* one of a few words */
    HP_SETTING_LIST,     /* words */
} HpSettingType;

/* What a value must also be: %NULL if @value will do, else N_("must be …"). */
typedef const char *(*HpSettingCheck)(HpSlice value);

/* A row of the table. Rows of one section stand together. */
typedef struct {
    const char *section; /* (unowned) */
    const char *key;     /* (unowned) */
    HpSettingType type;
    const char *fallback; /* (unowned): the default as a person would write it; "" is
                             "not set", and then an empty value is one too */
    gint64 min, max;      /* NUMBER, DURATION, SIZE; both 0: any */
    const char *choices;  /* (unowned) (nullable): CHOICE: "auto|yes|no" */
    const char *about;    /* (unowned): N_() one sentence for "config describe" */
    HpSettingCheck check; /* (nullable): for every word of a LIST, else the whole value */
    gboolean named;       /* the section is [section NAME], and there may be several */
    gboolean later;       /* known, but nothing acts on it yet */
    gboolean at_start;    /* a running daemon takes a change at its next start only */
} HpSettingSpec;

typedef struct {
    const HpSettingSpec *specs; /* (unowned): lives as long as the program */
    guint n_specs;
} HpSettingTable;

typedef struct _HpSettings HpSettings;

/**
 * hp_settings_parse:
 * @table: what may be set
 * @file: (nullable): name for messages; without one they name no line either, for a text
 *    that is in no file yet
 * @text: the contents; empty gives the defaults
 * @error: #HP_SETTINGS_ERROR_INVALID, with at most 20 problems
 *
 * Reads all of it or nothing.
 *
 * Returns: (transfer full) (nullable): the settings
 */
HpSettings *hp_settings_parse(HpSettingTable table, const char *file, HpSlice text,
                              GError **error);

HpSettings *hp_settings_ref(HpSettings *self);
void hp_settings_unref(HpSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSettings, hp_settings_unref)

/* Getters. @key: a row of the table; @name: which of the named sections, %NULL for
 * others. What is not in the file has its default. A wrong type or row is a fault of
 * ours. */
const char *hp_settings_text(const HpSettings *self, guint key, const char *name);
gboolean hp_settings_yes(const HpSettings *self, guint key, const char *name);
/* Number, seconds or bytes; 0 if it has neither value nor default. */
gint64 hp_settings_number(const HpSettings *self, guint key, const char *name);
/* (transfer full): %NULL-terminated words. */
char **hp_settings_list(const HpSettings *self, guint key, const char *name);
/* The line that sets it, 0 if the default holds. */
guint hp_settings_line(const HpSettings *self, guint key, const char *name);

/* The line of the header [section] or [section NAME], 0 if there is none. */
guint hp_settings_section_line(const HpSettings *self, const char *section,
                               const char *name);

/* Names of the sections [section NAME] in the order of the file: %NULL-terminated,
 * (transfer container): g_free() it; good as long as @self. */
const char **hp_settings_names(const HpSettings *self, const char *section);

/**
 * hp_settings_find:
 * @path: "section.key" or "section.NAME.key"; NAME may hold dots
 * @ret_key: (out): row of the table
 * @ret_name: (out) (transfer full) (nullable): NAME, for named sections
 * @error: #HP_SETTINGS_ERROR_NOT_FOUND
 */
gboolean hp_settings_find(HpSettingTable table, const char *path, guint *ret_key,
                          char **ret_name, GError **error);

/* Would @value do for that row? @error: #HP_SETTINGS_ERROR_VALUE "key must be …". */
gboolean hp_settings_check(const HpSettingSpec *spec, HpSlice value, GError **error);

/* What kind of value it wants, in words: "a number from 0 to 65535". (transfer full) */
char *hp_settings_describe_type(const HpSettingSpec *spec);
