// SPDX-License-Identifier: Apache-2.0
// The calling side of one connection. Calls report their messages and their end to the command that made them.
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"
#include "message.h"

struct client;

struct call {
    struct client *client;
    // Set by the command: called for each message, then once when the call is over.
    void (*on_message)(struct call *call, const ProtobufCMessage *message);
    void (*on_end)(struct call *call, bool has_succeeded);
    int32_t id;
    // Bytes that the session has not sent, and those of a message that came in part.
    struct bytes out, in;
    bool has_sent_all, has_status_200, has_status_ok, is_broken;
    uint32_t error_code;
};

struct client {
    struct link link;
    int poller;
};

void client_open(struct client *client, const char *path);
void client_close(struct client *client);

// Sends the request and no more after it, unless `stays_open`.
void call_start(struct client *client, struct call *call, const nghttp2_nv *path, const ProtobufCMessage *request,
                bool stays_open);
void call_finish(struct call *call);

extern const nghttp2_nv path_say, path_flow, path_talk;

// Works until `*counter` is 0; false when that takes more than `seconds`. Fails when the connection ends.
bool client_work(struct client *client, const long *counter, long seconds);

uint64_t now_nanos(void);
uint64_t processor_nanos(void);

#endif
