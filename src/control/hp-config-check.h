/* hp-config-check: what the values of hauspost.conf must be, each of them and all of them
 * together: everything for which the mail server would refuse to start.
 *
 * Threads: any.
 */
#pragma once

#include "hp-settings.h"

/* Each an #HpSettingCheck for rows of hp_config_table(). */
const char *hp_config_check_account(HpSlice value);  /* one address */
const char *hp_config_check_identity(HpSlice value); /* that, or "*@example.org" */
const char *hp_config_check_local(HpSlice value);    /* that, or "root" */
const char *hp_config_check_word(HpSlice value);
const char *hp_config_check_language(HpSlice value); /* one that Hauspost speaks */
const char *hp_config_check_server(HpSlice value);   /* as hp_endpoint_parse() reads it */
const char *hp_config_check_hostname(HpSlice value);
const char *hp_config_check_ca_file(HpSlice value); /* reads the file */

typedef struct {
    guint line; /* 0: none in particular */
    char *text; /* (owned): a sentence */
} HpConfigProblem;

/**
 * hp_config_check:
 * @settings: of hp_config_table(), each value good for itself
 *
 * What is wrong with the settings as a whole. That nobody has said yet whose mail it is
 * does not count: see hp_config_is_set_up().
 *
 * Returns: (transfer full) (element-type HpConfigProblem): in the order of the lines;
 * frees what it holds
 */
GArray *hp_config_check(const HpSettings *settings);
