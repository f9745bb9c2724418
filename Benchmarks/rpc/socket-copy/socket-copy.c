// SPDX-License-Identifier: Apache-2.0
// Bytes through a plain Unix socket, from one process's memory to another's: what any stream over it is measured by.
//
//   socket-copy serve SOCKET
//   socket-copy flow SOCKET --bytes N --chunk C     prints {"bytes":N,"seconds":S}
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// What the client asks for; both processes are the same program on the same machine.
struct request {
    uint64_t bytes, chunk;
};

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "socket-copy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_socket(const char *path, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    strcpy(address->sun_path, path);
    int raw = socket(AF_UNIX, SOCK_STREAM, 0);
    if (raw < 0) {
        fail("socket");
    }
    return raw;
}

static uint8_t *chunk_of(uint64_t count) {
    uint8_t *chunk = malloc(count);
    if (!chunk) {
        fail("memory for a chunk");
    }
    memset(chunk, 'x', count);
    return chunk;
}

static void send_flow(int connection) {
    struct request request;
    if (recv(connection, &request, sizeof request, MSG_WAITALL) != sizeof request || !request.chunk) {
        return;
    }
    uint8_t *chunk = chunk_of(request.chunk);
    while (request.bytes) {
        uint64_t count = request.bytes < request.chunk ? request.bytes : request.chunk;
        ssize_t sent = write(connection, chunk, count);
        if (sent < 0) {
            break;
        }
        request.bytes -= (uint64_t)sent;
    }
    free(chunk);
}

static int serve(const char *path) {
    struct sockaddr_un address;
    int listener = open_socket(path, &address);
    unlink(path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) {
        fail(path);
    }
    signal(SIGPIPE, SIG_IGN);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) {
            fail("accept");
        }
        send_flow(connection);
        close(connection);
    }
}

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int flow(const char *path, struct request request) {
    struct sockaddr_un address;
    int connection = open_socket(path, &address);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) {
        fail(path);
    }
    uint8_t *chunk = chunk_of(request.chunk);
    double begin = seconds_now();
    if (write(connection, &request, sizeof request) != sizeof request) {
        fail("write");
    }
    uint64_t received = 0;
    ssize_t count;
    while ((count = read(connection, chunk, request.chunk)) > 0) {
        received += (uint64_t)count;
    }
    if (count < 0 || received != request.bytes) {
        fail("read");
    }
    printf("{\"bytes\":%" PRIu64 ",\"seconds\":%.6f}\n", received, seconds_now() - begin);
    free(chunk);
    close(connection);
    return 0;
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "serve") == 0) {
        return serve(words[2]);
    }
    if (count == 7 && strcmp(words[1], "flow") == 0 && strcmp(words[3], "--bytes") == 0
        && strcmp(words[5], "--chunk") == 0) {
        struct request request = {.bytes = strtoull(words[4], NULL, 10), .chunk = strtoull(words[6], NULL, 10)};
        if (request.chunk) {
            return flow(words[2], request);
        }
    }
    fputs("usage: socket-copy serve SOCKET | flow SOCKET --bytes N --chunk C\n", stderr);
    return 1;
}
