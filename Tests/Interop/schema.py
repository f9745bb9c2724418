# SPDX-License-Identifier: Apache-2.0
"""Message classes and method descriptions of grpc.testing, made from its definitions when this is imported.

`protoc` is asked for descriptors, not for Python: classes from descriptors work with every version of both.
"""
import pathlib
import subprocess

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

DEFINITIONS = pathlib.Path(__file__).resolve().parent.parent / "TestMessages" / "Proto"
PACKAGE = "grpc.testing"
# Metadata that a server sends back: the first before its responses, the second after them.
ECHOED_INITIAL = "x-grpc-test-echo-initial"
ECHOED_TRAILING = "x-grpc-test-echo-trailing-bin"


def _pool():
    names = ["empty", "messages", "test"]
    described = subprocess.run(
        ["protoc", "-I", DEFINITIONS, "--descriptor_set_out=/dev/stdout"]
        + [f"grpc/testing/{name}.proto" for name in names],
        check=True, capture_output=True,
    ).stdout
    # A pool of their own: others in this process may define the same names.
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(described).file:
        pool.Add(file)
    return pool


POOL = _pool()


def _message(name):
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


BoolValue = _message("BoolValue")
EchoStatus = _message("EchoStatus")
Empty = _message("Empty")
Payload = _message("Payload")
ResponseParameters = _message("ResponseParameters")
SimpleRequest = _message("SimpleRequest")
SimpleResponse = _message("SimpleResponse")
StreamingInputCallRequest = _message("StreamingInputCallRequest")
StreamingInputCallResponse = _message("StreamingInputCallResponse")
StreamingOutputCallRequest = _message("StreamingOutputCallRequest")
StreamingOutputCallResponse = _message("StreamingOutputCallResponse")


class Method:
    """One method of a service: its path, its messages' classes, and its kind as grpcio names it."""

    def __init__(self, service, method):
        self.name = method.name
        self.path = f"/{service.full_name}/{method.name}"
        self.request = message_factory.GetMessageClass(method.input_type)
        self.response = message_factory.GetMessageClass(method.output_type)
        # `unary_stream`: the name of a channel's method, and with suffixes that of a handler's maker.
        self.kind = "_".join("stream" if streams else "unary"
                             for streams in (method.client_streaming, method.server_streaming))


def methods(service):
    """The methods of a service of this package."""
    described = POOL.FindServiceByName(f"{PACKAGE}.{service}")
    return [Method(described, method) for method in described.methods]


def payload(size):
    return Payload(body=bytes(size))
