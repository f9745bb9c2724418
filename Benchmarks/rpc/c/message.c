// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <stdlib.h>

enum { ARENA_BYTES = 256 << 10 };

// What does not fit into the arena; freed when the arena is emptied.
struct large {
    struct large *next;
    _Alignas(16) uint8_t data[];
};

static _Alignas(16) uint8_t arena[ARENA_BYTES];
static size_t arena_used;
static struct large *larges;

static void *allocate(void *context, size_t size) {
    (void)context;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded <= ARENA_BYTES - arena_used) {
        void *place = arena + arena_used;
        arena_used += rounded;
        return place;
    }
    struct large *large = malloc(sizeof *large + size);
    if (!large) {
        return NULL;
    }
    large->next = larges;
    larges = large;
    return large->data;
}

static void keep(void *context, void *place) {
    (void)context;
    (void)place;
}

static ProtobufCAllocator allocator = {.alloc = allocate, .free = keep};

ProtobufCMessage *message_decode(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t count) {
    return protobuf_c_message_unpack(type, &allocator, count, data);
}

void message_forget(void) {
    arena_used = 0;
    while (larges) {
        struct large *large = larges;
        larges = large->next;
        free(large);
    }
}

void message_append(struct bytes *out, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *place = bytes_space(out, PREFIX_BYTES + size);
    place[0] = 0;
    place[1] = (uint8_t)(size >> 24);
    place[2] = (uint8_t)(size >> 16);
    place[3] = (uint8_t)(size >> 8);
    place[4] = (uint8_t)size;
    protobuf_c_message_pack(message, place + PREFIX_BYTES);
    out->end += PREFIX_BYTES + size;
}

enum framing message_at_front(const uint8_t *data, size_t count, size_t *length) {
    if (count < PREFIX_BYTES) {
        return FRAMING_PARTIAL;
    }
    size_t size = (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | data[4];
    if (data[0] != 0 || size > MOST_MESSAGE_BYTES) {
        return FRAMING_WRONG;
    }
    *length = size;
    return count - PREFIX_BYTES >= size ? FRAMING_WHOLE : FRAMING_PARTIAL;
}
