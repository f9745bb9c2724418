# SPDX-License-Identifier: Apache-2.0
"""grpc.testing.TestService as grpcio serves it."""
import concurrent.futures
import time

import grpc

import compression
import schema

# The one that every server lacks.
ABSENT = "UnimplementedCall"


class TestService:
    """The handlers: requests are `compression.Received`."""

    def EmptyCall(self, request, context):
        return schema.Empty()

    def UnaryCall(self, request, context):
        _echo_metadata(context)
        _check_compression(request, context)
        _check_status(request, context)
        return self._answer(
            schema.SimpleResponse, request.message.response_size, context,
            request.message, "response_compressed")

    def StreamingInputCall(self, requests, context):
        size = 0
        for request in requests:
            _check_compression(request, context)
            size += len(request.message.payload.body)
        return schema.StreamingInputCallResponse(aggregated_payload_size=size)

    def StreamingOutputCall(self, request, context):
        _echo_metadata(context)
        yield from self._answers(request, context)

    def FullDuplexCall(self, requests, context):
        _echo_metadata(context)
        for request in requests:
            yield from self._answers(request, context)

    def _answers(self, request, context):
        _check_status(request, context)
        for wanted in request.message.response_parameters:
            time.sleep(wanted.interval_us / 1e6)
            yield self._answer(
                schema.StreamingOutputCallResponse, wanted.size, context, wanted, "compressed")

    @staticmethod
    def _answer(response_class, size, context, asking, field):
        """A response, compressed if `field` of what asks for it says so."""
        response = response_class(payload=schema.payload(size))
        if not asking.HasField(field):
            return response
        # Has no effect after the first; whether a message is compressed is said for each.
        context.set_compression(compression.GZIP)
        return response if getattr(asking, field).value else compression.Plain(response)


def _echo_metadata(context):
    received = dict(context.invocation_metadata())
    if schema.ECHOED_INITIAL in received:
        context.send_initial_metadata(((schema.ECHOED_INITIAL, received[schema.ECHOED_INITIAL]),))
    if schema.ECHOED_TRAILING in received:
        context.set_trailing_metadata(((schema.ECHOED_TRAILING, received[schema.ECHOED_TRAILING]),))


def _check_status(request, context):
    wanted = request.message.response_status
    if wanted.code != 0:
        codes = {code.value[0]: code for code in grpc.StatusCode}
        context.abort(codes.get(wanted.code, grpc.StatusCode.UNKNOWN), wanted.message)


def _check_compression(request, context):
    if not request.message.HasField("expect_compressed"):
        return
    expected = request.message.expect_compressed.value
    if expected != request.is_compressed:
        context.abort(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"compressed: expected {expected}, arrived {request.is_compressed}")


def _handlers(service):
    handlers = {}
    for method in schema.methods("TestService"):
        if method.name == ABSENT:
            continue
        make = getattr(grpc, f"{method.kind}_rpc_method_handler")
        handlers[method.name] = make(
            getattr(service, method.name),
            request_deserializer=compression.reader(method.request),
            response_serializer=compression.serialize)
    return grpc.method_handlers_generic_handler(f"{schema.PACKAGE}.TestService", handlers)


def serve(target, add_more=lambda server: None):
    """Serves until the process is ended; says `ready` when calls can come."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=16), options=[compression.AS_RECEIVED])
    server.add_generic_rpc_handlers((_handlers(TestService()),))
    add_more(server)
    server.add_insecure_port(target)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()
