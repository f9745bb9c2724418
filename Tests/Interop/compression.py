# SPDX-License-Identifier: Apache-2.0
"""Sees and decides whether single messages are compressed, for which grpcio has no interface in Python.

Seeing: grpcio's core is told to leave messages as they arrive (`AS_RECEIVED`), and they are unpacked here. Deciding: a
message that a serializer marks as `Plain` gets the core's flag against compression when it is sent.
"""
import gzip
import typing

import grpc
from grpc._cython import cygrpc

# An option of channels and servers.
AS_RECEIVED = ("grpc.per_message_decompression", 0)

_GZIP = b"\x1f\x8b"


class Received(typing.NamedTuple):
    """A message, and whether it arrived compressed (always false without `AS_RECEIVED`)."""
    message: typing.Any
    is_compressed: bool


def reader(message_class):
    """A deserializer. No message begins like a gzip file: that would be a field of a type that does not exist."""
    def read(data):
        is_compressed = data[:2] == _GZIP
        return Received(message_class.FromString(gzip.decompress(data) if is_compressed else data), is_compressed)
    return read


class Plain(typing.NamedTuple):
    """A message that is not to be compressed in a call that compresses."""
    message: typing.Any


class _PlainBytes(bytes):
    pass


def serialize(message):
    if isinstance(message, Plain):
        return _PlainBytes(message.message.SerializeToString())
    return message.SerializeToString()


_send = cygrpc.SendMessageOperation


def _send_as_marked(data, flags):
    if isinstance(data, _PlainBytes):
        return _send(bytes(data), flags | cygrpc.WriteFlag.no_compress)
    return _send(data, flags)


# grpcio's modules look the name up here for each message.
cygrpc.SendMessageOperation = _send_as_marked

GZIP = grpc.Compression.Gzip
