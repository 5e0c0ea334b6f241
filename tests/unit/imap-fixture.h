/* A store and a password in a temporary folder, for whatever needs an IMAP server without
 * a daemon.
 *
 * Threads: the one of the test.
 */
#pragma once

#include "hp-fs.h"
#include "hp-imap-session.h"
#include "hp-store-messages.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IMAP_USER     "anna@example.org"
#define IMAP_MAX_SIZE 1000000 /* octets of a message */

typedef struct {
    char *folder; /* (owned) */
    int folder_fd;
    HpDb *db;       /* (owned): queue.db */
    char *password; /* (owned) */
    HpImapOptions options;
} ImapFixture;

static inline gboolean
imap_knows_anna(const char *user, gpointer data)
{
    return g_ascii_strcasecmp(user, IMAP_USER) == 0;
}

static inline void
imap_set_up(ImapFixture *f)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    HpDbSpec spec = { NULL, 0x48504157, migrations, "test-writer" };
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    memset(f, 0, sizeof *f);
    f->folder = g_dir_make_tmp("hauspost-imap-XXXXXX", NULL);
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
    f->options.clock = &hp_clock_system;
    f->options.plaintext_allowed = TRUE;
    f->options.knows_user = imap_knows_anna;
    f->options.max_message_size = IMAP_MAX_SIZE;
    f->options.admin = "mailto:" IMAP_USER;
}

static inline int
imap_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static inline void
imap_tear_down(ImapFixture *f)
{
    hp_store_close(f->options.store);
    hp_passwords_close(f->options.passwords);
    hp_db_close(f->db);
    hp_tls_identity_free(f->options.tls);
    close(f->folder_fd);
    nftw(f->folder, imap_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(f->folder);
    g_free(f->password);
}

/* As if a client had done so at a time that is always the same. */
static inline void
imap_append_to(ImapFixture *f, gint64 mailbox, HpSlice message, guint32 flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) uids = NULL;
    HpStoreAppend append = {
        .draft = hp_store_draft(f->options.store),
        .flags = flags,
        .is_dated = TRUE,
        .internal_usec = 1764000000 * (gint64)G_USEC_PER_SEC,
        .zone = 60,
    };

    hp_content_draft_append(append.draft, message, &error);
    g_assert_no_error(error);
    hp_content_draft_finish(append.draft, &error);
    g_assert_no_error(error);
    hp_store_append(f->options.store, mailbox, &append, 1, &uids, &error);
    g_assert_no_error(error);
    hp_content_draft_free(append.draft);
}

static inline void
imap_append(ImapFixture *f, HpSlice message, guint32 flags)
{
    imap_append_to(f, HP_STORE_INBOX, message, flags);
}

/* The three messages that the transcripts are about. */
static inline void
imap_fill(ImapFixture *f)
{
    imap_append(f,
                HP_SLICE_LITERAL("Date: Tue, 24 Nov 2026 14:05:00 +0100\r\n"
                                 "From: Bert <bert@example.com>\r\n"
                                 "To: anna@example.org\r\n"
                                 "Subject: one\r\n"
                                 "Message-ID: <1@example.com>\r\n"
                                 "\r\n"
                                 "first line\r\n"
                                 "last line\r\n"),
                0);
    imap_append(f,
                HP_SLICE_LITERAL("From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.com>\r\n"
                                 "Subject: two\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: multipart/mixed; boundary=b\r\n"
                                 "\r\n"
                                 "--b\r\n"
                                 "\r\n"
                                 "part one\r\n"
                                 "--b\r\n"
                                 "Content-Type: message/rfc822\r\n"
                                 "\r\n"
                                 "Subject: inner\r\n"
                                 "\r\n"
                                 "inner text\r\n"
                                 "--b--\r\n"),
                HP_STORE_SEEN);
    imap_append(f, HP_SLICE_LITERAL("Subject: three\r\n\r\n"), HP_STORE_FLAGGED);
}
