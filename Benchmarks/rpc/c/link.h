// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection: a non-blocking socket, an nghttp2 session, and what the socket has not taken.
#ifndef LINK_H
#define LINK_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "bytes.h"

enum {
    STREAM_WINDOW = 1 << 20,
    CONNECTION_WINDOW = 16 << 20,
    FRAME_BYTES = 1 << 20,
    MOST_STREAMS = 1 << 20,
};

// A header of two literals.
#define HEADER(header_name, header_value)                                                                     \
    {                                                                                                         \
        .name = (uint8_t *)(header_name), .value = (uint8_t *)(header_value),                                 \
        .namelen = sizeof(header_name) - 1, .valuelen = sizeof(header_value) - 1,                             \
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                                 \
    }

struct link {
    int socket;
    nghttp2_session *session;
    struct bytes unsent;
    // The socket is full, so `unsent` waits for it.
    bool is_blocked;
    bool got_goaway;
};

// A connected, non-blocking socket; fails if nobody listens.
int link_connect(const char *path);
// A listening, non-blocking socket.
int link_listen(const char *path);

// Makes the session, with `callbacks` beside those that the link needs itself; user data is the link.
void link_open(struct link *link, int socket, nghttp2_session_callbacks *callbacks, bool is_server);
void link_close(struct link *link);

// Reads what is there and lets the session work on it. False when the connection is at its end.
bool link_receive(struct link *link);
// Writes what the session wants to send, as far as the socket takes it. False when the connection is at its end.
bool link_flush(struct link *link);

// A data source: lends `pending`, whose front the send callback then writes to the socket without copying it.
ssize_t link_offer(const struct bytes *pending, size_t length, uint32_t *flags);

#endif
