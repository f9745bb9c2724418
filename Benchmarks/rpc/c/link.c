// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    FRAME_HEADER_BYTES = 9,
    READ_BYTES = 256 << 10,
    // What is shorter is copied together with its neighbours: one write for all of them.
    LENT_BYTES = 4096,
    // Written when there is so much of it, even if more is to come.
    BATCH_BYTES = 64 << 10,
    SOCKET_BUFFER_BYTES = 1 << 20,
};

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fail("%s: longer than a socket's path may be", path);
    }
    strcpy(address.sun_path, path);
    return address;
}

static int new_socket(int flags) {
    int raw = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (raw < 0) {
        fail("socket: %s", strerror(errno));
    }
    return raw;
}

int link_connect(const char *path) {
    struct sockaddr_un address = address_of(path);
    // Blocks while the other side's queue of connections is full.
    int raw = new_socket(0);
    if (connect(raw, (struct sockaddr *)&address, sizeof address) < 0) {
        fail("connect %s: %s", path, strerror(errno));
    }
    int is_on = 1;
    ioctl(raw, FIONBIO, &is_on);
    return raw;
}

int link_listen(const char *path) {
    struct sockaddr_un address = address_of(path);
    int raw = new_socket(SOCK_NONBLOCK);
    unlink(path);
    if (bind(raw, (struct sockaddr *)&address, sizeof address) < 0 || listen(raw, 1024) < 0) {
        fail("listen on %s: %s", path, strerror(errno));
    }
    return raw;
}

// MARK: sending

// Writes the unsent bytes and then `data`; keeps what the socket did not take.
static bool write_with(struct link *link, const uint8_t *data, size_t count) {
    struct iovec parts[2] = {
        {.iov_base = bytes_front(&link->unsent), .iov_len = bytes_count(&link->unsent)},
        {.iov_base = (void *)data, .iov_len = count},
    };
    size_t before = parts[0].iov_len;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent;
    do {
        sent = sendmsg(link->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) {
        return false;
    }
    size_t taken = sent < 0 ? 0 : (size_t)sent;
    link->is_blocked = taken < before + count;
    bytes_take(&link->unsent, taken < before ? taken : before);
    size_t of_data = taken < before ? 0 : taken - before;
    if (of_data < count) {
        bytes_append(&link->unsent, data + of_data, count - of_data);
    }
    return true;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header, size_t length,
                     nghttp2_data_source *source, void *user_data) {
    struct link *link = user_data;
    struct bytes *pending = source->ptr;
    (void)session;
    (void)frame;
    if (link->is_blocked) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    bytes_append(&link->unsent, header, FRAME_HEADER_BYTES);
    if (length < LENT_BYTES) {
        bytes_append(&link->unsent, bytes_front(pending), length);
    } else if (!write_with(link, bytes_front(pending), length)) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    bytes_take(pending, length);
    return 0;
}

ssize_t link_offer(const struct bytes *pending, size_t length, uint32_t *flags) {
    size_t count = bytes_count(pending);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return (ssize_t)(count < length ? count : length);
}

// Without it, frames have 16 KiB at most, whatever the other side allows.
static ssize_t frame_length(nghttp2_session *session, uint8_t type, int32_t stream, int32_t session_window,
                            int32_t stream_window, uint32_t most, void *user_data) {
    (void)session;
    (void)type;
    (void)stream;
    (void)user_data;
    int32_t length = session_window < stream_window ? session_window : stream_window;
    return length < (int32_t)most ? length : (ssize_t)most;
}

bool link_flush(struct link *link) {
    if (link->is_blocked && !write_with(link, NULL, 0)) {
        return false;
    }
    while (!link->is_blocked) {
        const uint8_t *data;
        ssize_t count = nghttp2_session_mem_send(link->session, &data);
        if (count < 0) {
            return false;
        }
        // Data frames went through `send_data`, and count as nothing here.
        if (count == 0) {
            break;
        }
        bytes_append(&link->unsent, data, (size_t)count);
        if (bytes_count(&link->unsent) >= BATCH_BYTES && !write_with(link, NULL, 0)) {
            return false;
        }
    }
    if (bytes_count(&link->unsent) && !link->is_blocked && !write_with(link, NULL, 0)) {
        return false;
    }
    return nghttp2_session_want_read(link->session) || nghttp2_session_want_write(link->session);
}

// MARK: receiving

bool link_receive(struct link *link) {
    static uint8_t buffer[READ_BYTES];
    ssize_t count;
    do {
        count = recv(link->socket, buffer, sizeof buffer, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return errno == EAGAIN;
    }
    return count > 0 && nghttp2_session_mem_recv(link->session, buffer, (size_t)count) == count;
}

// MARK: opening and closing

void link_open(struct link *link, int socket, nghttp2_session_callbacks *callbacks, bool is_server) {
    int size = SOCKET_BUFFER_BYTES;
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    *link = (struct link){.socket = socket};
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, frame_length);
    nghttp2_option *option;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, MOST_STREAMS);
    if (is_server) {
        nghttp2_session_server_new2(&link->session, callbacks, link, option);
    } else {
        nghttp2_session_client_new2(&link->session, callbacks, link, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MOST_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, FRAME_BYTES},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    // A server says nothing about pushing.
    size_t count = is_server ? 3 : 4;
    if (!link->session || nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, settings, count) != 0
        || nghttp2_session_set_local_window_size(link->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) != 0) {
        fail("a session could not be made");
    }
}

void link_close(struct link *link) {
    nghttp2_session_del(link->session);
    close(link->socket);
    bytes_free(&link->unsent);
}
