// SPDX-License-Identifier: Apache-2.0
// `serve`: one thread, one epoll, any number of connections.
// accept4
#define _GNU_SOURCE
#include "echo.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"
#include "message.h"
#include "petrel/benchmark/v1/echo.pb-c.h"

enum status { STATUS_OK = 0, STATUS_INVALID_ARGUMENT = 3, STATUS_UNIMPLEMENTED = 12, STATUS_INTERNAL = 13 };
enum method { METHOD_NONE, METHOD_SAY, METHOD_FLOW, METHOD_TALK };

struct stream {
    struct stream *next, *previous;
    int32_t id;
    enum method method;
    enum status status;
    bool has_answered, has_ended;
    // Of messages that came in part.
    struct bytes in;
    // Messages that the session has not sent.
    struct bytes out;
    // What Flow is to send yet.
    uint64_t flow_bytes;
    size_t flow_chunk;
};

struct connection {
    struct link link;
    struct stream *streams;
    bool waits_to_write;
};

static struct stream *unused;
static uint8_t flow_payload[MOST_MESSAGE_BYTES];

// MARK: streams

static struct stream *stream_open(struct connection *connection, int32_t id) {
    struct stream *stream = unused;
    if (stream) {
        unused = stream->next;
    } else if (!(stream = calloc(1, sizeof *stream))) {
        fail("no memory for a stream");
    }
    struct bytes in = stream->in, out = stream->out;
    *stream = (struct stream){.id = id, .in = in, .out = out, .next = connection->streams};
    if (connection->streams) {
        connection->streams->previous = stream;
    }
    connection->streams = stream;
    return stream;
}

static void stream_close(struct connection *connection, struct stream *stream) {
    if (stream->previous) {
        stream->previous->next = stream->next;
    } else {
        connection->streams = stream->next;
    }
    if (stream->next) {
        stream->next->previous = stream->previous;
    }
    bytes_take(&stream->in, bytes_count(&stream->in));
    bytes_take(&stream->out, bytes_count(&stream->out));
    stream->next = unused;
    unused = stream;
}

// MARK: answers

static const nghttp2_nv answer_headers[] = {HEADER(":status", "200"), HEADER("content-type", "application/grpc")};

static void submit_status(nghttp2_session *session, struct stream *stream) {
    static const nghttp2_nv succeeded = HEADER("grpc-status", "0");
    char text[4];
    int length = snprintf(text, sizeof text, "%d", (int)stream->status);
    nghttp2_nv failed = {
        .name = (uint8_t *)"grpc-status", .namelen = 11, .value = (uint8_t *)text, .valuelen = (size_t)length,
    };
    nghttp2_submit_trailer(session, stream->id, stream->status == STATUS_OK ? &succeeded : &failed, 1);
}

// The next message of Flow.
static void flow_next(struct stream *stream) {
    size_t count = stream->flow_bytes < stream->flow_chunk ? (size_t)stream->flow_bytes : stream->flow_chunk;
    Petrel__Benchmark__V1__EchoMessage message = PETREL__BENCHMARK__V1__ECHO_MESSAGE__INIT;
    message.payload = (ProtobufCBinaryData){.len = count, .data = flow_payload};
    message_append(&stream->out, &message.base);
    stream->flow_bytes -= count;
}

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                           uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    (void)buffer;
    (void)source;
    (void)user_data;
    if (!bytes_count(&stream->out) && stream->flow_bytes) {
        flow_next(stream);
    }
    size_t count = bytes_count(&stream->out);
    bool is_last = count <= length && !stream->flow_bytes && stream->has_ended;
    if (!count && !is_last) {
        return NGHTTP2_ERR_DEFERRED;
    }
    if (is_last) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_status(session, stream);
    }
    return link_offer(&stream->out, length, flags);
}

// Starts the answer, or goes on with it.
static void answer(nghttp2_session *session, struct stream *stream) {
    if (stream->has_answered) {
        nghttp2_session_resume_data(session, stream->id);
        return;
    }
    stream->has_answered = true;
    nghttp2_data_provider provider = {.source.ptr = &stream->out, .read_callback = read_answer};
    nghttp2_submit_response(session, stream->id, answer_headers, 2, &provider);
}

// MARK: requests

static void handle_flow(struct stream *stream, const uint8_t *data, size_t count) {
    const Petrel__Benchmark__V1__FlowRequest *request =
        (void *)message_decode(&petrel__benchmark__v1__flow_request__descriptor, data, count);
    // Each message is written to the end before the next one; its prefix and tags fit beside the payload.
    if (!request || !request->chunk_bytes || request->chunk_bytes > MOST_MESSAGE_BYTES - 64) {
        stream->status = STATUS_INVALID_ARGUMENT;
        return;
    }
    // Memory of its own: pages that nobody has written are all one page, and too quick to copy.
    memset(flow_payload, 'x', request->chunk_bytes);
    stream->flow_bytes = request->bytes;
    stream->flow_chunk = request->chunk_bytes;
}

static void handle(struct stream *stream, const uint8_t *data, size_t count) {
    if (stream->method == METHOD_FLOW) {
        handle_flow(stream, data, count);
    } else {
        ProtobufCMessage *message =
            message_decode(&petrel__benchmark__v1__echo_message__descriptor, data, count);
        if (message) {
            message_append(&stream->out, message);
        } else {
            stream->status = STATUS_INTERNAL;
        }
    }
    message_forget();
}

// Handles the whole messages at the front, and returns how many bytes they had.
static size_t handle_all(struct stream *stream, const uint8_t *data, size_t count) {
    size_t used = 0, length;
    enum framing framing;
    while ((framing = message_at_front(data + used, count - used, &length)) == FRAMING_WHOLE) {
        handle(stream, data + used + PREFIX_BYTES, length);
        used += PREFIX_BYTES + length;
    }
    if (framing == FRAMING_WRONG) {
        stream->status = STATUS_INTERNAL;
        return count;
    }
    return used;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        struct stream *stream = stream_open(user_data, frame->hd.stream_id);
        nghttp2_session_set_stream_user_data(session, stream->id, stream);
    }
    return 0;
}

static bool equals(const uint8_t *data, size_t count, const char *text) {
    return count == strlen(text) && memcmp(data, text, count) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_count,
                     const uint8_t *value, size_t value_count, uint8_t flags, void *user_data) {
    (void)flags;
    (void)user_data;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!stream || !equals(name, name_count, ":path")) {
        return 0;
    }
    if (equals(value, value_count, "/petrel.benchmark.v1.Echo/Say")) {
        stream->method = METHOD_SAY;
    } else if (equals(value, value_count, "/petrel.benchmark.v1.Echo/Flow")) {
        stream->method = METHOD_FLOW;
    } else if (equals(value, value_count, "/petrel.benchmark.v1.Echo/Talk")) {
        stream->method = METHOD_TALK;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t count,
                   void *user_data) {
    (void)flags;
    (void)user_data;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (!stream || stream->method == METHOD_NONE || stream->status != STATUS_OK) {
        return 0;
    }
    if (bytes_count(&stream->in)) {
        bytes_append(&stream->in, data, count);
        bytes_take(&stream->in, handle_all(stream, bytes_front(&stream->in), bytes_count(&stream->in)));
    } else {
        // Nearly always a whole message, which then is decoded where it is.
        size_t used = handle_all(stream, data, count);
        if (used < count) {
            bytes_append(&stream->in, data + used, count - used);
        }
    }
    if (stream->method == METHOD_TALK && bytes_count(&stream->out)) {
        answer(session, stream);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    (void)user_data;
    bool has_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!has_end || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        return 0;
    }
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream) {
        if (stream->method == METHOD_NONE) {
            stream->status = STATUS_UNIMPLEMENTED;
        } else if (bytes_count(&stream->in)) {
            stream->status = STATUS_INTERNAL;
        }
        stream->has_ended = true;
        answer(session, stream);
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user_data) {
    (void)code;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream) {
        stream_close(user_data, stream);
    }
    return 0;
}

// MARK: connections

static void accept_all(int poller, int listener) {
    int socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) {
            fail("no memory for a connection");
        }
        nghttp2_session_callbacks *callbacks;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        link_open(&connection->link, socket, callbacks, true);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
    }
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        fail("accept: %s", strerror(errno));
    }
}

static void work(int poller, struct connection *connection, uint32_t events) {
    struct link *link = &connection->link;
    // While the other side does not read, it is not read from either: what it asks for would wait in memory.
    bool is_open = !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || link->is_blocked || link_receive(link);
    if (!is_open || !link_flush(link)) {
        link_close(link);
        while (connection->streams) {
            stream_close(connection, connection->streams);
        }
        free(connection);
    } else if (link->is_blocked != connection->waits_to_write) {
        connection->waits_to_write = link->is_blocked;
        struct epoll_event event = {.events = link->is_blocked ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_MOD, link->socket, &event);
    }
}

static int termination(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int serve(const char *path) {
    int poller = epoll_create1(EPOLL_CLOEXEC), signals = termination(), listener = link_listen(path);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &signals;
    epoll_ctl(poller, EPOLL_CTL_ADD, signals, &event);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(poller, events, 64, -1);
        if (count < 0 && errno != EINTR) {
            fail("epoll_wait: %s", strerror(errno));
        }
        for (int index = 0; index < count; index++) {
            if (events[index].data.ptr == &signals) {
                unlink(path);
                return 0;
            }
            if (events[index].data.ptr == &listener) {
                accept_all(poller, listener);
            } else {
                work(poller, events[index].data.ptr, events[index].events);
            }
        }
    }
}
