# SPDX-License-Identifier: Apache-2.0
"""gRPC as Python programs have it: grpcio, with the settings that it has when nobody asks for any.

Needs grpc, google.protobuf and the generated petrel.benchmark.v1.echo_pb2 in its path. Its commands are serve, unary,
flow and idle; what they print stands in ../README.md.
"""
import argparse
import concurrent.futures
import json
import queue
import signal
import sys
import threading
import time

import grpc
from petrel.benchmark.v1.echo_pb2 import EchoMessage, FlowRequest

SERVICE = "petrel.benchmark.v1.Echo"
DEADLINE_SECONDS = 60


# MARK: server

def say(request, context):
    return request


def flow(request, context):
    payload, left = b"x" * request.chunk_bytes, request.bytes
    while left:
        part = payload[:min(left, len(payload))]
        left -= len(part)
        yield EchoMessage(payload=part)


def talk(requests, context):
    yield from requests


def serve(arguments):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor())
    encode, decode = EchoMessage.SerializeToString, EchoMessage.FromString
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {
        "Say": grpc.unary_unary_rpc_method_handler(say, decode, encode),
        "Flow": grpc.unary_stream_rpc_method_handler(flow, FlowRequest.FromString, encode),
        "Talk": grpc.stream_stream_rpc_method_handler(talk, decode, encode),
    }),))
    if not server.add_insecure_port("unix:" + arguments.socket):
        sys.exit(f"{arguments.socket}: cannot listen")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    print("ready", flush=True)
    stop.wait()
    server.stop(None).wait()


# MARK: client

def connect(socket):
    # Channels of one process share connections, unless they are told not to.
    return grpc.insecure_channel("unix:" + socket, options=[("grpc.use_local_subchannel_pool", 1)])


def say_on(channel):
    return channel.unary_unary(f"/{SERVICE}/Say", EchoMessage.SerializeToString, EchoMessage.FromString)


def checked(answer):
    if answer.text != "hello" or len(answer.payload) != 100:
        sys.exit("the answer is not the request")


def one_at_a_time(call, request, count):
    durations = []
    for _ in range(count):
        begin = time.monotonic_ns()
        checked(call(request))
        durations.append(time.monotonic_ns() - begin)
    return durations


def several_at_a_time(call, request, count, in_flight):
    """As futures: each that is done makes room for the next one."""
    durations, done = [], queue.SimpleQueue()

    def start():
        begin = time.monotonic_ns()
        call.future(request).add_done_callback(lambda future: done.put((time.monotonic_ns() - begin, future)))

    for _ in range(min(in_flight, count)):
        start()
    started = min(in_flight, count)
    while len(durations) < count:
        duration, future = done.get(timeout=DEADLINE_SECONDS)
        checked(future.result())
        durations.append(duration)
        if started < count:
            started += 1
            start()
    return durations


def unary(arguments):
    request = EchoMessage(text="hello", payload=b"x" * 100)
    with connect(arguments.socket) as channel:
        call = say_on(channel)

        def calls(count):
            if arguments.in_flight == 1:
                return one_at_a_time(call, request, count)
            return several_at_a_time(call, request, count, arguments.in_flight)

        calls(arguments.warm_up)
        processor, begin = time.process_time(), time.monotonic()
        durations = calls(arguments.calls)
        seconds, used = time.monotonic() - begin, time.process_time() - processor
    durations = sorted(durations)
    p50, p99 = (durations[len(durations) * part // 100] / 1e3 for part in (50, 99))
    print(json.dumps({"calls": arguments.calls, "seconds": seconds, "p50_us": p50, "p99_us": p99,
                      "cpu_us": used * 1e6 / arguments.calls}))


def receive_flow(arguments):
    with connect(arguments.socket) as channel:
        call = channel.unary_stream(f"/{SERVICE}/Flow", FlowRequest.SerializeToString, EchoMessage.FromString)
        begin = time.monotonic()
        request = FlowRequest(bytes=arguments.bytes, chunk_bytes=arguments.chunk)
        received = sum(len(message.payload) for message in call(request))
        seconds = time.monotonic() - begin
    if received != arguments.bytes:
        sys.exit(f"Flow sent {received} bytes, not {arguments.bytes}")
    print(json.dumps({"bytes": received, "seconds": seconds}))


def idle(arguments):
    channels = [connect(arguments.socket) for _ in range(arguments.connections)]
    for channel in channels:
        say_on(channel)(EchoMessage(text="hello"))
    print("ready", flush=True)
    sys.stdin.read()


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for name, function, options in (
        ("serve", serve, []), ("unary", unary, ["calls", "in-flight", "warm-up"]),
        ("flow", receive_flow, ["bytes", "chunk"]), ("idle", idle, ["connections"]),
    ):
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        command.add_argument("socket")
        for option in options:
            command.add_argument("--" + option, type=int, required=True)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
