// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "petrel/benchmark/v1/echo.pb-c.h"

const nghttp2_nv path_say = HEADER(":path", "/petrel.benchmark.v1.Echo/Say");
const nghttp2_nv path_flow = HEADER(":path", "/petrel.benchmark.v1.Echo/Flow");
const nghttp2_nv path_talk = HEADER(":path", "/petrel.benchmark.v1.Echo/Talk");

static uint64_t nanos_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t now_nanos(void) { return nanos_of(CLOCK_MONOTONIC); }
uint64_t processor_nanos(void) { return nanos_of(CLOCK_PROCESS_CPUTIME_ID); }

// MARK: calls

static ssize_t read_request(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length, uint32_t *flags,
                            nghttp2_data_source *source, void *user_data) {
    struct call *call = nghttp2_session_get_stream_user_data(session, id);
    (void)buffer;
    (void)source;
    (void)user_data;
    size_t count = bytes_count(&call->out);
    if (call->has_sent_all && count <= length) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (!count) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return link_offer(&call->out, length, flags);
}

void call_start(struct client *client, struct call *call, const nghttp2_nv *path, const ProtobufCMessage *request,
                bool stays_open) {
    nghttp2_nv headers[] = {
        HEADER(":method", "POST"), HEADER(":scheme", "http"), *path, HEADER(":authority", "localhost"),
        HEADER("te", "trailers"), HEADER("content-type", "application/grpc"),
        HEADER("user-agent", "echo-c"),
    };
    call->client = client;
    call->has_sent_all = !stays_open;
    call->has_status_200 = call->has_status_ok = call->is_broken = false;
    call->error_code = NGHTTP2_NO_ERROR;
    message_append(&call->out, request);
    nghttp2_data_provider provider = {.source.ptr = &call->out, .read_callback = read_request};
    call->id = nghttp2_submit_request(
        client->link.session, NULL, headers, sizeof headers / sizeof *headers, &provider, call);
    if (call->id < 0) {
        fail("call: %s", nghttp2_strerror(call->id));
    }
}

void call_finish(struct call *call) {
    call->has_sent_all = true;
    nghttp2_session_resume_data(call->client->link.session, call->id);
}

// Reports the whole messages at the front, and returns how many bytes they had.
static size_t report_all(struct call *call, const uint8_t *data, size_t count) {
    size_t used = 0, length;
    enum framing framing;
    while ((framing = message_at_front(data + used, count - used, &length)) == FRAMING_WHOLE) {
        const ProtobufCMessage *message = message_decode(
            &petrel__benchmark__v1__echo_message__descriptor, data + used + PREFIX_BYTES, length);
        if (message) {
            call->on_message(call, message);
        } else {
            call->is_broken = true;
        }
        message_forget();
        used += PREFIX_BYTES + length;
    }
    call->is_broken = call->is_broken || framing == FRAMING_WRONG;
    return framing == FRAMING_WRONG ? count : used;
}

static bool equals(const uint8_t *data, size_t count, const char *text) {
    return count == strlen(text) && memcmp(data, text, count) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_count,
                     const uint8_t *value, size_t value_count, uint8_t flags, void *user_data) {
    (void)flags;
    (void)user_data;
    struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call && equals(name, name_count, ":status")) {
        call->has_status_200 = equals(value, value_count, "200");
    } else if (call && equals(name, name_count, "grpc-status")) {
        call->has_status_ok = equals(value, value_count, "0");
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t count,
                   void *user_data) {
    (void)flags;
    (void)user_data;
    struct call *call = nghttp2_session_get_stream_user_data(session, id);
    if (!call) {
        return 0;
    }
    if (bytes_count(&call->in)) {
        bytes_append(&call->in, data, count);
        bytes_take(&call->in, report_all(call, bytes_front(&call->in), bytes_count(&call->in)));
    } else {
        size_t used = report_all(call, data, count);
        if (used < count) {
            bytes_append(&call->in, data + used, count - used);
        }
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct link *link = user_data;
    (void)session;
    link->got_goaway = link->got_goaway || frame->hd.type == NGHTTP2_GOAWAY;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user_data) {
    (void)user_data;
    struct call *call = nghttp2_session_get_stream_user_data(session, id);
    if (call) {
        bool is_whole = !bytes_count(&call->in) && !call->is_broken && code == NGHTTP2_NO_ERROR;
        bytes_take(&call->in, bytes_count(&call->in));
        bytes_take(&call->out, bytes_count(&call->out));
        call->error_code = code;
        call->on_end(call, is_whole && call->has_status_200 && call->has_status_ok);
    }
    return 0;
}

// MARK: the connection

void client_open(struct client *client, const char *path) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    link_open(&client->link, link_connect(path), callbacks, false);
    client->poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(client->poller, EPOLL_CTL_ADD, client->link.socket, &event);
}

void client_close(struct client *client) {
    link_close(&client->link);
    close(client->poller);
}

bool client_work(struct client *client, const long *counter, long seconds) {
    struct link *link = &client->link;
    uint64_t deadline = now_nanos() + (uint64_t)seconds * 1000000000;
    bool waits_to_write = false;
    for (;;) {
        // A server may close the connection as soon as the last call is over.
        bool is_open = link_flush(link);
        if (!*counter) {
            return true;
        }
        if (!is_open) {
            fail("the connection has ended");
        }
        if (link->is_blocked != waits_to_write) {
            waits_to_write = link->is_blocked;
            struct epoll_event event = {.events = EPOLLIN | (waits_to_write ? EPOLLOUT : 0)};
            epoll_ctl(client->poller, EPOLL_CTL_MOD, link->socket, &event);
        }
        struct epoll_event event;
        int count = epoll_wait(client->poller, &event, 1, 1000);
        if (count < 0 && errno != EINTR) {
            fail("epoll_wait: %s", strerror(errno));
        }
        if (count <= 0) {
            if (now_nanos() > deadline) {
                return false;
            }
        } else if (event.events & ~(uint32_t)EPOLLOUT && !link_receive(link)) {
            fail("the connection has ended");
        }
    }
}
