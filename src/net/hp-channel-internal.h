/* hp-channel-internal: what the two halves of hp-channel, plain and TLS, share.
 *
 * Threads: that of the channel.
 */
#pragma once

#include "hp-channel.h"

#include <gnutls/gnutls.h>

/* What one attempt to read or write came to. */
typedef enum {
    HP_IO_DONE,
    HP_IO_WANTS_INPUT,  /* would block until the socket can be read */
    HP_IO_WANTS_OUTPUT, /* would block until it can be written */
    HP_IO_FAILED,       /* the error is set; the channel is of no more use */
} HpIo;

struct _HpChannel {
    int fd;
    int bell;       /* eventfd that abort makes readable for ever; -1 if there was none */
    int abort_fd;   /* the owner's, with the same meaning; -1 for none */
    int aborted;    /* atomic */
    gboolean ended; /* end of the stream, or a failure that nothing can follow */
    gboolean torn;  /* a write was cut short: not one byte more may be sent */
    gint64 deadline_usec;
    size_t budget;
    char *in; /* (owned) (nullable): the input is in_len bytes from in_at */
    size_t in_at;
    size_t in_len;
    size_t in_size;
    gboolean in_filled;   /* the last read used all the room: make more */
    char *out;            /* (owned) (nullable): OUT_MAX bytes */
    size_t out_len;       /* gathered in it */
    gnutls_session_t tls; /* (owned) (nullable) */
};

/* Sets @error; always %FALSE. @message: (transfer none): a translated sentence. */
gboolean hp_net_fail(GError **error, HpNetError code, const char *message);

/* The same from an errno of a socket call. */
gboolean hp_net_fail_errno(GError **error, int number);

/* %FALSE with the error set if the channel was aborted, has ended, or is overdue. */
gboolean hp_channel_may_go_on(HpChannel *self, GError **error);

/* Waits for POLLIN or POLLOUT under deadline and abort. */
gboolean hp_channel_wait_for(HpChannel *self, short events, GError **error);

/* One attempt each on the TLS session; @ret_len as with recv() and send(). */
HpIo hp_channel_tls_read(HpChannel *self, char *buffer, size_t size, size_t *ret_len,
                         GError **error);
HpIo hp_channel_tls_write(HpChannel *self, HpSlice bytes, size_t *ret_len,
                          GError **error);

/* Sends close_notify if that does not block, and frees the TLS session. */
void hp_channel_tls_end(HpChannel *self);
