#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random messages for the round trip through another implementation, and the verdict on what came back.

    round_trip.py make DESCRIPTORS CASES SEED COUNT    writes COUNT cases
    round_trip.py check DESCRIPTORS CASES ANSWERS      prints what differs; exit code 1 if anything does

DESCRIPTORS is a google.protobuf.FileDescriptorSet. CASES is a sequence of records: the type that the other side is to
decode, the type by which its answer is judged, the bytes. ANSWERS has one record for each case: "ok" or an error, and
the bytes. Each part of a record has its length before it, four bytes, little-endian.

Half of the cases are as Python encodes them. The others have the same right as proto3 gives it: fields in any order,
lists packed and unpacked, values that a later one replaces, messages in pieces that have to be merged, map entries
without key or value, numbers in more bytes than needed, zeros that could be left out.
"""
import os
import random
import struct
import sys

# The C++ one keeps both of two map entries with the same key.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

# Deeper than any other message that is generated, and well within the limit of 100.
DEEP = 80
VARINTS = {
    Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_UINT32, Field.TYPE_UINT64, Field.TYPE_SINT32, Field.TYPE_SINT64,
    Field.TYPE_BOOL, Field.TYPE_ENUM,
}
FIXED = {
    Field.TYPE_DOUBLE: (1, "<d"), Field.TYPE_FIXED64: (1, "<Q"), Field.TYPE_SFIXED64: (1, "<q"),
    Field.TYPE_FLOAT: (5, "<f"), Field.TYPE_FIXED32: (5, "<I"), Field.TYPE_SFIXED32: (5, "<i"),
}
INTEGERS = {
    Field.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1), Field.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    Field.CPPTYPE_UINT32: (0, (1 << 32) - 1), Field.CPPTYPE_UINT64: (0, (1 << 64) - 1),
    Field.CPPTYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
}
FLOATS = [0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan"), 1e-40, 3.4e38]
TEXTS = ["", "a", "\0", "plain text", "höhe", "日本語", "😀\u200d", "x" * 200, "a\0b", "\u07ff\u0800\uffff\U0010ffff"]


def load(path):
    """The message classes of a descriptor set, by full name."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as stream:
        files.ParseFromString(stream.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    if hasattr(message_factory, "GetMessageClass"):
        make = message_factory.GetMessageClass
    else:
        make = message_factory.MessageFactory(pool).GetPrototype
    classes = {}

    def add(descriptor):
        if not descriptor.GetOptions().map_entry:
            classes[descriptor.full_name] = make(descriptor)
        for nested in descriptor.nested_types:
            add(nested)

    for file in files.file:
        for descriptor in pool.FindFileByName(file.name).message_types_by_name.values():
            add(descriptor)
    return classes


def is_repeated(field):
    # Newer releases have no labels any more.
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == Field.LABEL_REPEATED


def is_map(field):
    return is_repeated(field) and field.message_type is not None \
        and field.message_type.GetOptions().map_entry


class Maker:
    """Random messages."""

    def __init__(self, source, classes):
        self.random = source
        self.classes = classes

    def scalar(self, field):
        pick = self.random
        if field.cpp_type in INTEGERS:
            low, high = INTEGERS[field.cpp_type]
            if field.type == Field.TYPE_ENUM and pick.random() < 0.7:
                return pick.choice(field.enum_type.values).number
            return pick.choice([
                0, 1, low, high, max(low, -1), pick.randint(low, high), pick.randint(0, 200),
                min(high, pick.getrandbits(pick.randint(1, 31))),
            ])
        if field.cpp_type == Field.CPPTYPE_BOOL:
            return pick.random() < 0.5
        if field.type == Field.TYPE_DOUBLE:
            return pick.choice(FLOATS + [pick.uniform(-1e9, 1e9), struct.unpack("<d", pick.randbytes(8))[0]])
        if field.type == Field.TYPE_FLOAT:
            return pick.choice(FLOATS + [pick.uniform(-1e9, 1e9)])
        if field.type == Field.TYPE_BYTES:
            return pick.randbytes(pick.choice([0, 1, 7, 8, 64, 300, 300, 8191, 8192, 20000]))
        return pick.choice(TEXTS + ["".join(chr(pick.choice([65, 233, 0x4e00, 0x1f600])) for _ in range(pick.randint(1, 40)))])

    def count(self):
        return self.random.choice([0, 1, 1, 1, 2, 3, 20])

    def fill(self, message, depth, density):
        """Sets some of the message's fields; `depth` more levels may follow."""
        if message.DESCRIPTOR.full_name == "google.protobuf.Any":
            name = self.random.choice(sorted(self.classes))
            content = self.message(name, min(depth, 2), 0.2)
            message.type_url = "type.googleapis.com/" + name
            message.value = content.SerializeToString()
            return
        for field in message.DESCRIPTOR.fields:
            if self.random.random() >= density:
                continue
            if is_map(field):
                self.fill_map(getattr(message, field.name), field, depth, density)
            elif is_repeated(field):
                values = getattr(message, field.name)
                for _ in range(self.count() if depth > 1 else 1):
                    if field.message_type is None:
                        values.append(self.scalar(field))
                    elif depth > 0:
                        self.fill(values.add(), depth - 2, density / 2)
            elif field.message_type is None:
                setattr(message, field.name, self.scalar(field))
            elif depth > 0:
                value = getattr(message, field.name)
                value.SetInParent()
                self.fill(value, depth - 1, density)

    def fill_map(self, values, field, depth, density):
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        for _ in range(self.count()):
            if value.message_type is None:
                values[self.scalar(key)] = self.scalar(value)
            elif depth > 0:
                entry = values[self.scalar(key)]
                self.fill(entry, depth - 2, density / 2)

    def message(self, name, depth, density):
        message = self.classes[name]()
        self.fill(message, depth, density)
        return message

    def chain(self):
        """Levels upon levels."""
        result = self.classes["petrel.test.v1.Chain"](number=1)
        message = result
        for level in range(DEEP):
            message.number = level
            message = self.random.choice([lambda: message.next, lambda: message.maybe])()
        message.link.name = "end"
        return result


class Encoder:
    """Writes a message in one of the many ways that mean the same."""

    def __init__(self, source, maker):
        self.random = source
        self.maker = maker
        # Whether several choices of a oneof may be there. Who knows only some of them cannot keep their order.
        self.rivals = True

    def varint(self, value):
        value &= (1 << 64) - 1
        result = bytearray()
        while value >= 0x80:
            result.append(value & 0x7f | 0x80)
            value >>= 7
        result.append(value)
        # More bytes than needed, but no more than ten.
        if self.random.random() < 0.05:
            for _ in range(self.random.randint(1, 10 - len(result)) if len(result) < 10 else 0):
                result[-1] |= 0x80
                result.append(0)
        return bytes(result)

    def tag(self, number, wire):
        value = number << 3 | wire
        result = bytearray()
        while value >= 0x80:
            result.append(value & 0x7f | 0x80)
            value >>= 7
        return bytes(result) + bytes([value])

    def length(self, data):
        value, result = len(data), bytearray()
        while value >= 0x80:
            result.append(value & 0x7f | 0x80)
            value >>= 7
        return bytes(result) + bytes([value]) + data

    def bare(self, field, value):
        """A packable value without its tag."""
        if field.type in FIXED:
            return struct.pack(FIXED[field.type][1], value)
        if field.type in (Field.TYPE_SINT32, Field.TYPE_SINT64):
            return self.varint(value << 1 if value >= 0 else (-value << 1) - 1)
        return self.varint(int(value))

    def single(self, field, value):
        if field.type in FIXED:
            return self.tag(field.number, FIXED[field.type][0]) + self.bare(field, value)
        if field.type in VARINTS:
            return self.tag(field.number, 0) + self.bare(field, value)
        if field.message_type is not None:
            data = self.encode(value)
        else:
            data = value.encode() if field.type == Field.TYPE_STRING else value
        return self.tag(field.number, 2) + self.length(data)

    def singular(self, field, value):
        """Pieces that stay in this order."""
        if field.message_type is None:
            before = [self.single(field, self.maker.scalar(field))] if self.random.random() < 0.1 else []
            return before + [self.single(field, value)]
        if self.random.random() < 0.8:
            return [self.single(field, value)]
        # Two messages that are merged. What the second has replaces or extends what the first has.
        second = type(value)()
        self.maker.fill(second, 1, 0.2)
        if not self.rivals:
            for oneof in second.DESCRIPTOR.oneofs:
                second.ClearField(oneof.name)
        return [self.single(field, value), self.single(field, second)]

    def repeated(self, field, values):
        if field.type not in VARINTS and field.type not in FIXED:
            return [self.single(field, value) for value in values]
        pieces, position = [], 0
        while position < len(values):
            count = self.random.randint(1, len(values) - position)
            if count == 1 and self.random.random() < 0.5:
                pieces.append(self.single(field, values[position]))
            else:
                data = b"".join(self.bare(field, value) for value in values[position:position + count])
                pieces.append(self.tag(field.number, 2) + self.length(data))
            position += count
        return pieces

    def entries(self, field, values):
        key_field, value_field = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        pieces = []
        for key, value in values.items():
            parts = [self.single(key_field, key), self.single(value_field, value)]
            choice = self.random.random()
            if choice < 0.1:
                parts.reverse()
            elif choice < 0.2:
                parts.pop(self.random.randint(0, 1))
            elif choice < 0.3:
                pieces.append(self.tag(field.number, 2) + self.length(self.single(key_field, key)))
            pieces.append(self.tag(field.number, 2) + self.length(b"".join(parts)))
        return pieces

    def encode(self, message):
        streams = []
        for field in message.DESCRIPTOR.fields:
            value = getattr(message, field.name)
            if is_map(field):
                streams.append(self.entries(field, value))
            elif is_repeated(field):
                streams.append(self.repeated(field, value))
            elif field.containing_oneof is not None or field.message_type is not None:
                if message.HasField(field.name):
                    streams.append(self.singular(field, value))
                elif self.rivals and field.containing_oneof is not None and self.random.random() < 0.05:
                    # Another choice of the oneof: the last one counts, and which that is, is chance.
                    other = value if field.message_type is not None else self.maker.scalar(field)
                    streams.append([self.single(field, other)])
            elif value or self.random.random() < 0.1:
                streams.append(self.singular(field, value))
        # Any order, but each stream in its own.
        result = []
        streams = [stream for stream in streams if stream]
        while streams:
            stream = self.random.choice(streams)
            result.append(stream.pop(0))
            if not stream:
                streams.remove(stream)
        return b"".join(result)


def record(*parts):
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


def records(path, parts):
    with open(path, "rb") as stream:
        data = stream.read()
    result, position = [], 0
    while position < len(data):
        entry = []
        for _ in range(parts):
            size, = struct.unpack_from("<I", data, position)
            entry.append(data[position + 4:position + 4 + size])
            position += 4 + size
        result.append(entry)
    return result


def make(classes, path, seed, count):
    source = random.Random(seed)
    maker = Maker(source, classes)
    encoder = Encoder(source, maker)
    names = sorted(classes)
    with open(path, "wb") as stream:
        for index in range(count):
            whole = decoded = "petrel.test.v1.Complete"
            if index % 97 == 0:
                message, whole = maker.chain(), "petrel.test.v1.Chain"
                decoded = whole
            else:
                if index % 3 == 0:
                    whole = decoded = source.choice(names)
                elif index % 3 == 1:
                    decoded = "petrel.test.v1.Older"
                message = maker.message(whole, source.choice([2, 4, 6]), source.choice([0.1, 0.3, 0.9]))
            encoder.rivals = decoded == whole
            data = message.SerializeToString() if source.random() < 0.5 else encoder.encode(message)
            stream.write(record(decoded.encode(), whole.encode(), data))


def canonical(message):
    return message.SerializeToString(deterministic=True)


def check(classes, cases, answers):
    wrong = 0
    pairs = list(zip(records(cases, 3), records(answers, 2)))
    for index, ((decoded, whole, data), (verdict, answer)) in enumerate(pairs):
        kind = classes[whole.decode()]
        expected = kind.FromString(data)
        if verdict == b"ok" and canonical(kind.FromString(answer)) == canonical(expected):
            continue
        wrong += 1
        if wrong <= 5:
            print(f"case {index}, {whole.decode()} through {decoded.decode()}: {verdict.decode()}")
            print("  sent    ", data.hex()[:400])
            print("  answered", answer.hex()[:400])
            if verdict == b"ok":
                ours, theirs = str(kind.FromString(answer)).splitlines(), str(expected).splitlines()
                differing = [pair for pair in zip(theirs, ours) if pair[0] != pair[1]]
                print("  expected and found", differing[:3], len(theirs), len(ours))
    print(f"{len(pairs)} cases, {wrong} wrong")
    return 1 if wrong or not pairs else 0


def main():
    command, descriptors, cases = sys.argv[1:4]
    classes = load(descriptors)
    if command == "make":
        make(classes, cases, int(sys.argv[4]), int(sys.argv[5]))
        return 0
    return check(classes, cases, sys.argv[4])


sys.exit(main())
