// SPDX-License-Identifier: Apache-2.0
// gRPC in C with epoll, nghttp2 and protobuf-c: what is possible with one thread on each side.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bytes.h"
#include "echo.h"

static const char usage[] = "usage: serve SOCKET | unary SOCKET --calls N --in-flight K --warm-up W | "
                            "flow SOCKET --bytes N --chunk C | idle SOCKET --connections N | "
                            "streams SOCKET --count N | codec --rounds N";

// The value of an option that has to be there.
static long option(int count, char **words, const char *name, long least) {
    for (int index = 0; index + 1 < count; index++) {
        if (strcmp(words[index], name) == 0) {
            char *end;
            errno = 0;
            long value = strtol(words[index + 1], &end, 10);
            if (errno || *end || end == words[index + 1] || value < least) {
                fail("%s %s: not a number of at least %ld", name, words[index + 1], least);
            }
            return value;
        }
    }
    fail("%s is missing", name);
}

// Each connection takes a descriptor.
static void raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int count, char **words) {
    raise_limit();
    const char *command = count > 1 ? words[1] : "";
    if (strcmp(command, "codec") == 0) {
        return codec(option(count, words, "--rounds", 1));
    }
    if (count < 3) {
        fail("%s", usage);
    }
    const char *path = words[2];
    if (strcmp(command, "serve") == 0) {
        return serve(path);
    }
    if (strcmp(command, "unary") == 0) {
        return unary(path, option(count, words, "--calls", 1), option(count, words, "--in-flight", 1),
                     option(count, words, "--warm-up", 0));
    }
    if (strcmp(command, "flow") == 0) {
        return flow(path, (uint64_t)option(count, words, "--bytes", 0), (uint32_t)option(count, words, "--chunk", 1));
    }
    if (strcmp(command, "idle") == 0) {
        return idle(path, option(count, words, "--connections", 1));
    }
    if (strcmp(command, "streams") == 0) {
        return streams(path, option(count, words, "--count", 1));
    }
    fail("%s", usage);
}
