/* A maildrop in a temporary folder, for whatever needs a POP3 server without a daemon.
 *
 * Threads: the one of the test.
 */
#pragma once

#include "hp-fs.h"
#include "hp-pop3-session.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POP3_USER "anna@example.org"

typedef struct {
    char *folder; /* (owned) */
    int folder_fd;
    HpDb *db;       /* (owned): queue.db */
    char *password; /* (owned) */
    HpPop3Options options;
} Pop3Fixture;

static inline gboolean
pop3_knows_anna(const char *user, gpointer data)
{
    return g_ascii_strcasecmp(user, POP3_USER) == 0;
}

static inline void
pop3_set_up(Pop3Fixture *f)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    HpDbSpec spec = { NULL, 0x48504157, migrations, "test-writer" };
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    memset(f, 0, sizeof *f);
    f->folder = g_dir_make_tmp("hauspost-pop3-XXXXXX", NULL);
    f->folder_fd = hp_fs_open_private_dir(f->folder, NULL);
    path = g_build_filename(f->folder, "queue.db", NULL);
    spec.path = path;
    f->db = hp_db_open(&spec, &error);
    g_assert_no_error(error);
    f->options.passwords = hp_passwords_open(f->db, &hp_clock_system, &error);
    g_assert_no_error(error);
    f->password = hp_passwords_new(f->options.passwords, "thunderbird", &error);
    g_assert_no_error(error);
    f->options.store = hp_store_open(f->folder, f->folder_fd, &hp_clock_system, &error);
    g_assert_no_error(error);
    f->options.tls = hp_tls_identity_ensure(f->folder_fd, &error);
    g_assert_no_error(error);
    f->options.plaintext_allowed = TRUE;
    f->options.knows_user = pop3_knows_anna;
}

static inline int
pop3_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static inline void
pop3_tear_down(Pop3Fixture *f)
{
    hp_store_close(f->options.store);
    hp_passwords_close(f->options.passwords);
    hp_db_close(f->db);
    hp_tls_identity_free(f->options.tls);
    close(f->folder_fd);
    nftw(f->folder, pop3_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(f->folder);
    g_free(f->password);
}

static inline gssize
pop3_read_slice(gpointer slice, guint64 offset, char *buffer, size_t size, GError **error)
{
    HpSlice *all = slice;
    size_t n = MIN(size, all->len - (size_t)offset);

    if (n > 0)
        memcpy(buffer, all->data + offset, n);
    return (gssize)n;
}

static inline void
pop3_deliver(Pop3Fixture *f, const char *origin, HpSlice message)
{
    HpInbox inbox = hp_store_inbox(f->options.store);
    g_autoptr(GError) error = NULL;

    inbox.deliver(inbox.self, origin, message.len, &message, pop3_read_slice, &error);
    g_assert_no_error(error);
}

/* The three messages that the transcripts are about. */
static inline void
pop3_fill(Pop3Fixture *f)
{
    pop3_deliver(f, "one",
                 HP_SLICE_LITERAL("From: Bert <bert@example.com>\r\n"
                                  "Subject: one\r\n"
                                  "\r\n"
                                  "first line\r\n"
                                  ".\r\n"
                                  "..two dots\r\n"
                                  "last line\r\n"));
    pop3_deliver(f, "two",
                 HP_SLICE_LITERAL("From: \"J\xC3\xBCrgen\" <juergen@example.com>\r\n"
                                  "Subject: Gr\xC3\xBC\xC3\x9F"
                                  "e aus K\xC3\xB6ln\r\n"
                                  "\r\n"
                                  "Sch\xC3\xB6n hier\r\n"));
    pop3_deliver(f, "three", HP_SLICE_LITERAL("Subject: three\r\n\r\n"));
}
