/* hp-cli-table: rows of cells in aligned columns, or separated by TABs for scripts.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct _HpCliTable HpCliTable;

/* @titles: %NULL-terminated, translated; one that begins with ">" makes its column stand
 * at the right. */
HpCliTable *hp_cli_table_new(const char *const *titles);
void hp_cli_table_free(HpCliTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpCliTable, hp_cli_table_free)

/* The next cell, from left to right. @shown for people, @plain (nullable: as @shown) for
 * scripts. Both are made printable: they may come from outside. */
void hp_cli_table_add(HpCliTable *self, const char *shown, const char *plain);

/* @width: columns of the terminal; 0: nothing is cut. Where the others leave too little
 * room for the last column, its cells stand below their rows. */
void hp_cli_table_print(const HpCliTable *self, FILE *out, guint width);

/* TAB between cells, no titles. */
void hp_cli_table_print_plain(const HpCliTable *self, FILE *out);

/* Columns that @utf8 takes on a terminal: wide characters two, combining ones none. */
guint hp_cli_text_width(const char *utf8);
