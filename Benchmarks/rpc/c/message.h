// SPDX-License-Identifier: Apache-2.0
// gRPC's framing of messages, and messages decoded into an arena, which is the quickest that protobuf-c can do.
#ifndef MESSAGE_H
#define MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "bytes.h"

// A flag for compression (never set here) and the length in four bytes, the highest first.
enum { PREFIX_BYTES = 5, MOST_MESSAGE_BYTES = 4 << 20 };

// Appends the message with its prefix.
void message_append(struct bytes *out, const ProtobufCMessage *message);

enum framing { FRAMING_PARTIAL, FRAMING_WHOLE, FRAMING_WRONG };
// Whether a whole message stands at the front, and how many bytes follow its prefix.
enum framing message_at_front(const uint8_t *data, size_t count, size_t *length);

// Null if the bytes are no such message. Valid until the next call of `message_forget`.
ProtobufCMessage *message_decode(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t count);
void message_forget(void);

#endif
