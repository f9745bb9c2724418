// SPDX-License-Identifier: Apache-2.0
#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *bytes_space(struct bytes *bytes, size_t count) {
    if (bytes->capacity - bytes->end >= count) {
        return bytes->base + bytes->end;
    }
    size_t present = bytes_count(bytes);
    if (bytes->capacity - present >= count && bytes->start >= present) {
        memcpy(bytes->base, bytes_front(bytes), present);
    } else {
        size_t capacity = bytes->capacity < 128 ? 128 : bytes->capacity * 2;
        while (capacity < present + count) {
            capacity *= 2;
        }
        uint8_t *base = malloc(capacity);
        if (!base) {
            fail("no memory for %zu bytes", capacity);
        }
        if (present) {
            memcpy(base, bytes_front(bytes), present);
        }
        free(bytes->base);
        bytes->base = base;
        bytes->capacity = capacity;
    }
    bytes->start = 0;
    bytes->end = present;
    return bytes->base + present;
}

void bytes_append(struct bytes *bytes, const void *data, size_t count) {
    memcpy(bytes_space(bytes, count), data, count);
    bytes->end += count;
}

void bytes_take(struct bytes *bytes, size_t count) {
    bytes->start += count;
    if (bytes->start == bytes->end) {
        bytes->start = bytes->end = 0;
    }
}

void bytes_free(struct bytes *bytes) {
    free(bytes->base);
    *bytes = (struct bytes){0};
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("echo-c: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}
