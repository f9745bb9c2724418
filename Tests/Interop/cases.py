# SPDX-License-Identifier: Apache-2.0
"""The interoperability tests' cases, run by grpcio's client; values and steps are those of gRPC's description of them.

Each case is a function of a `Client`, found by its name in `CASES`, and raises when the server does not do as described.
"""
import queue
import types

import grpc

import compression
import schema
from compression import Plain

# Most seconds of a call that no case limits itself.
LIMIT = 30
LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
REQUEST_SIZES = [27182, 8, 1828, 45904]
RESPONSE_SIZES = [31415, 9, 2653, 58979]

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Failure(Exception):
    """What the server did wrong."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def expect_equal(what, actual, expected):
    expect(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


def expect_status(call, code, details=None):
    """`call` must fail like that."""
    try:
        call()
    except grpc.RpcError as error:
        expect_equal("status", error.code(), code)
        if details is not None:
            expect_equal("status message", error.details(), details)
    else:
        raise Failure(f"expected status {code}, got success")


def expect_payload(response, size):
    body = response.message.payload.body
    expect_equal("payload size", len(body), size)
    expect(not any(body), "the payload is not all zeros")


class Client:
    """A callable for each method, named like it; answers are `compression.Received`."""

    def __init__(self, target, options=()):
        self.target = target
        self.channel = grpc.insecure_channel(target, options=list(options))
        self._add("TestService", self)
        self.absent_service = types.SimpleNamespace()
        self._add("UnimplementedService", self.absent_service)

    def _add(self, name, owner):
        for method in schema.methods(name):
            make = getattr(self.channel, method.kind)
            setattr(owner, method.name, make(
                method.path,
                request_serializer=compression.serialize,
                response_deserializer=compression.reader(method.response)))


class Requests:
    """What a call sends: messages are added while it runs."""

    def __init__(self):
        self._queue = queue.Queue()

    def add(self, message):
        self._queue.put(message)

    def finish(self):
        self._queue.put(None)

    def __iter__(self):
        return iter(self._queue.get, None)


def _large(**fields):
    return schema.SimpleRequest(
        response_size=LARGE_RESPONSE, payload=schema.payload(LARGE_REQUEST), **fields)


def _wanting(sizes, request_size=None, **fields):
    request = schema.StreamingOutputCallRequest(
        response_parameters=[schema.ResponseParameters(size=size) for size in sizes], **fields)
    if request_size is not None:
        request.payload.CopyFrom(schema.payload(request_size))
    return request


# Calls that end well.

@case
def empty_unary(client):
    expect_equal("response", client.EmptyCall(schema.Empty(), timeout=LIMIT).message, schema.Empty())


@case
def large_unary(client):
    expect_payload(client.UnaryCall(_large(), timeout=LIMIT), LARGE_RESPONSE)


@case
def client_streaming(client):
    requests = (schema.StreamingInputCallRequest(payload=schema.payload(size)) for size in REQUEST_SIZES)
    response = client.StreamingInputCall(requests, timeout=LIMIT)
    expect_equal("aggregated size", response.message.aggregated_payload_size, sum(REQUEST_SIZES))


@case
def server_streaming(client):
    responses = list(client.StreamingOutputCall(_wanting(RESPONSE_SIZES), timeout=LIMIT))
    expect_equal("number of responses", len(responses), len(RESPONSE_SIZES))
    for response, size in zip(responses, RESPONSE_SIZES):
        expect_payload(response, size)


@case
def ping_pong(client):
    requests = Requests()
    responses = client.FullDuplexCall(iter(requests), timeout=LIMIT)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.add(_wanting([response_size], request_size))
        expect_payload(next(responses), response_size)
    requests.finish()
    expect_equal("further responses", list(responses), [])


@case
def empty_stream(client):
    expect_equal("responses", list(client.FullDuplexCall(iter(()), timeout=LIMIT)), [])


@case
def custom_metadata(client):
    sent = {schema.ECHOED_INITIAL: "test_initial_metadata_value", schema.ECHOED_TRAILING: b"\xab\xab\xab"}

    def expect_echo(call):
        expect_equal("initial metadata", dict(call.initial_metadata()).get(schema.ECHOED_INITIAL),
                     sent[schema.ECHOED_INITIAL])
        expect_equal("trailing metadata", dict(call.trailing_metadata()).get(schema.ECHOED_TRAILING),
                     sent[schema.ECHOED_TRAILING])

    response, call = client.UnaryCall.with_call(_large(), metadata=tuple(sent.items()), timeout=LIMIT)
    expect_payload(response, LARGE_RESPONSE)
    expect_echo(call)
    requests = iter([_wanting([LARGE_RESPONSE], LARGE_REQUEST)])
    call = client.FullDuplexCall(requests, metadata=tuple(sent.items()), timeout=LIMIT)
    responses = list(call)
    expect_equal("number of responses", len(responses), 1)
    expect_payload(responses[0], LARGE_RESPONSE)
    expect_echo(call)


# Calls that fail.

def _expect_echoed_status(client, message, streaming):
    status = schema.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
    request = schema.SimpleRequest(response_status=status)
    expect_status(lambda: client.UnaryCall(request, timeout=LIMIT), grpc.StatusCode.UNKNOWN, message)
    if streaming:
        requests = [_wanting([], response_status=status)]
        expect_status(lambda: list(client.FullDuplexCall(iter(requests), timeout=LIMIT)),
                      grpc.StatusCode.UNKNOWN, message)


@case
def status_code_and_message(client):
    _expect_echoed_status(client, "test status message", streaming=True)


@case
def special_status_message(client):
    text = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
    _expect_echoed_status(client, text, streaming=False)


@case
def unimplemented_method(client):
    expect_status(lambda: client.UnimplementedCall(schema.Empty(), timeout=LIMIT),
                  grpc.StatusCode.UNIMPLEMENTED)


@case
def unimplemented_service(client):
    expect_status(lambda: client.absent_service.UnimplementedCall(schema.Empty(), timeout=LIMIT),
                  grpc.StatusCode.UNIMPLEMENTED)


# Calls that the client ends.

@case
def cancel_after_begin(client):
    call = client.StreamingInputCall.future(iter(Requests()), timeout=LIMIT)
    # Has been answered when the server knows of the call before it.
    client.EmptyCall(schema.Empty(), timeout=LIMIT)
    expect(not call.done(), "the call has ended by itself")
    call.cancel()
    expect_equal("status", call.code(), grpc.StatusCode.CANCELLED)


@case
def cancel_after_first_response(client):
    requests = Requests()
    responses = client.FullDuplexCall(iter(requests), timeout=LIMIT)
    requests.add(_wanting([RESPONSE_SIZES[0]], REQUEST_SIZES[0]))
    expect_payload(next(responses), RESPONSE_SIZES[0])
    responses.cancel()
    expect_status(lambda: next(responses), grpc.StatusCode.CANCELLED)


@case
def timeout_on_sleeping_server(client):
    # There is a connection before the clock starts.
    client.EmptyCall(schema.Empty(), timeout=LIMIT)
    requests = Requests()
    responses = client.FullDuplexCall(iter(requests), timeout=0.001)
    requests.add(_wanting([], REQUEST_SIZES[0]))
    expect_status(lambda: next(responses), grpc.StatusCode.DEADLINE_EXCEEDED)


# Calls that compress.

@case
def client_compressed_unary(client):
    def call(expected, **options):
        request = _large(expect_compressed=schema.BoolValue(value=expected))
        expect_payload(client.UnaryCall(request, timeout=LIMIT, **options), LARGE_RESPONSE)

    expect_status(lambda: call(True), grpc.StatusCode.INVALID_ARGUMENT)
    call(True, compression=compression.GZIP)
    call(False)


@case
def client_compressed_streaming(client):
    def request(size, expected):
        return schema.StreamingInputCallRequest(
            payload=schema.payload(size), expect_compressed=schema.BoolValue(value=expected))

    expect_status(lambda: client.StreamingInputCall(iter([request(27182, True)]), timeout=LIMIT),
                  grpc.StatusCode.INVALID_ARGUMENT)
    requests = [request(27182, True), Plain(request(45904, False))]
    response = client.StreamingInputCall(iter(requests), timeout=LIMIT, compression=compression.GZIP)
    expect_equal("aggregated size", response.message.aggregated_payload_size, 27182 + 45904)


@case
def server_compressed_unary(client):
    for wanted in (True, False):
        response = client.UnaryCall(
            _large(response_compressed=schema.BoolValue(value=wanted)), timeout=LIMIT)
        expect_equal("response compressed", response.is_compressed, wanted)
        expect_payload(response, LARGE_RESPONSE)
    # grpcio's core unpacks it as well.
    request = _large(response_compressed=schema.BoolValue(value=True))
    expect_payload(Client(client.target).UnaryCall(request, timeout=LIMIT), LARGE_RESPONSE)


@case
def server_compressed_streaming(client):
    wanted = [(31415, True), (92653, False)]
    request = schema.StreamingOutputCallRequest(response_parameters=[
        schema.ResponseParameters(size=size, compressed=schema.BoolValue(value=compressed))
        for size, compressed in wanted])
    responses = list(client.StreamingOutputCall(request, timeout=LIMIT))
    expect_equal("number of responses", len(responses), len(wanted))
    for response, (size, compressed) in zip(responses, wanted):
        expect_equal("response compressed", response.is_compressed, compressed)
        expect_payload(response, size)


def run(target, name):
    """Raises `Failure` or grpc's error."""
    client = Client(target, [compression.AS_RECEIVED])
    try:
        CASES[name](client)
    finally:
        client.channel.close()
