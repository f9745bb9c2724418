// SPDX-License-Identifier: Apache-2.0
// Bytes that grow at the end and are taken from the front.
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *base;
    size_t start, end, capacity;
};

static inline size_t bytes_count(const struct bytes *bytes) { return bytes->end - bytes->start; }
static inline uint8_t *bytes_front(const struct bytes *bytes) { return bytes->base + bytes->start; }

// Space for `count` more bytes at the end; they count only after `bytes->end += count`.
uint8_t *bytes_space(struct bytes *bytes, size_t count);
void bytes_append(struct bytes *bytes, const void *data, size_t count);
// The space is kept for what comes next.
void bytes_take(struct bytes *bytes, size_t count);
void bytes_free(struct bytes *bytes);

// One line on stderr, and the end: a benchmark has no use for half a result.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
