# SPDX-License-Identifier: Apache-2.0
"""The transport and the message codec by themselves: calls, streams and memory over a Unix socket, beside programs that
do the same with other libraries (Benchmarks/rpc/README.md)."""
import contextlib
import os
import pathlib
import subprocess
import sys
import time

import commands
import echo
import echo_peers
from bench import OURS, Row
from commands import BenchmarkError

PEERS = list(echo_peers.MAKERS)
# So that no side takes much longer than the others for one sample.
CALLS, CALLS_OF = 40_000, {"grpcio": 4000}
CALLS_AT_ONCE, CALLS_AT_ONCE_OF = 100_000, {"grpc-go": 30_000}
WARM_UP = 2000
IN_FLIGHT = 64
CHUNK_BYTES = 64 << 10
FLOW_BYTES = 8000 * CHUNK_BYTES
ROUNDS = 100_000
CONNECTIONS = 1000
STREAMS = 10_000
# Until a daemon has given back what its last work needed: it looks every two seconds, and does so at the first
# look that finds it quiet.
SETTLED_SECONDS = 5

SHOWN = {"c": None, "grpc-go": None}

ROWS = [
    Row("call p50", "µs", {"c": 1.5, "grpc-go": 0.3, "ttrpc": 0.5, "grpcio": 0.06},
        "unary echo of 100 bytes, one in flight, while all processors but one are busy with something else"),
    Row("call p99", "µs", {"c": 2.0}, "the slowest hundredth of these calls"),
    Row("calls a second", "1/s", {"c": None, "grpc-go": 8}, f"one connection, {IN_FLIGHT} in flight",
        more_is_better=True),
    Row("client CPU", "µs", SHOWN, "processor time of the client for each of these calls", limit=2.5),
    Row("server CPU", "µs", SHOWN, "processor time of the server for each of these calls", limit=2.5),
    Row("stream", "MB/s", {"socket": 0.6, "c": None, "grpc-go": None},
        "server stream of messages of 64 KiB, beside a copy through a plain socket", more_is_better=True),
    Row("encode", "ns", {"swift-protobuf": 0.4, "c": None}, "a message of 10 fields: nested, repeated, a map; 346 bytes"),
    Row("decode", "ns", {"swift-protobuf": 0.4, "c": None}, "the same"),
    Row("daemon memory", "MB", SHOWN, "of a server with one service after some calls (RSS)", limit=12),
    Row("connection memory", "KB", SHOWN, f"added to it by each of {CONNECTIONS} idle connections", limit=24),
    Row("streams lost", "streams", None, f"of {STREAMS} at the same time on one connection", limit=0),
    Row("streams memory", "MB", SHOWN, "of a server with all of these open (RSS)", limit=150),
]


def ours(place):
    binaries = pathlib.Path(os.environ["PETREL_BIN"]).resolve()
    return echo.Echo(OURS, [binaries / "rpc-echo"], petrel_version(binaries / "petrel"), place.directory)


def petrel_version(program):
    try:
        return commands.output([program, "--version"], "/").split()[-1]
    except (BenchmarkError, IndexError):
        return "of unknown version"


def peer(name, place):
    return echo_peers.made(name, place.directory)


def measure(bench):
    measure_calls(bench)
    measure_many_calls(bench)
    measure_stream(bench)
    measure_codec(bench)
    measure_memory(bench)
    measure_streams(bench)


# MARK: calls

@contextlib.contextmanager
def busy_processors():
    """All but one processor have something else to do, as on a machine that is used.

    Otherwise it is chance whether the two processes of a call share a processor, or each has its own, which sleeps while
    the other one works: to wake it takes a virtual machine several times as long as the call, whatever they are made of,
    and the same program beside itself has ratios from a half to two."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() - 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure_calls(bench):
    def call(side):
        calls = CALLS_OF.get(side.name, CALLS)
        result = side.call_server("unary", "--calls", calls, "--in-flight", 1, "--warm-up", WARM_UP)
        return result["p50_us"], result["p99_us"]

    with busy_processors():
        bench.compare_several(["call p50", "call p99"], call)


def measure_many_calls(bench):
    def calls(side):
        count = CALLS_AT_ONCE_OF.get(side.name, CALLS_AT_ONCE)
        before = side.server.processor_seconds()
        result = side.call_server("unary", "--calls", count, "--in-flight", IN_FLIGHT, "--warm-up", WARM_UP)
        used = side.server.processor_seconds() - before
        return count / result["seconds"], result["cpu_us"], used * 1e6 / (count + WARM_UP)

    bench.compare_several(["calls a second", "client CPU", "server CPU"], calls)


def measure_stream(bench):
    def stream(side):
        result = side.call_server("flow", "--bytes", FLOW_BYTES, "--chunk", CHUNK_BYTES)
        return FLOW_BYTES / result["seconds"] / 1e6

    bench.compare("stream", stream)


def measure_codec(bench):
    sizes = {}

    def code(side):
        result = side.call("codec", "--rounds", ROUNDS)
        size = sizes.setdefault(OURS, result["bytes"])
        if result["bytes"] != size:
            raise BenchmarkError(f"the message has {result['bytes']} bytes rather than {size}")
        return result["encode_ns"], result["decode_ns"]

    bench.compare_several(["encode", "decode"], code)


# MARK: memory

def measure_memory(bench):
    def memory(side):
        with side.fresh_server() as server:
            side.call("unary", server.socket, "--calls", 1000, "--in-flight", 1, "--warm-up", 0)
            time.sleep(SETTLED_SECONDS)
            alone = server.resident_bytes()
            with side.holder(server, "idle", "--connections", CONNECTIONS):
                time.sleep(SETTLED_SECONDS)
                crowded = server.resident_bytes()
        return alone / 1e6, (crowded - alone) / CONNECTIONS / 1e3

    bench.compare_several(["daemon memory", "connection memory"], memory, runs=bench.few, warm_up=0)


def measure_streams(bench):
    def streams(side):
        with side.fresh_server() as server:
            with side.holder(server, "streams", "--count", STREAMS) as line:
                result = echo.figures(line, side.name, "streams")
                memory = server.resident_bytes()
        lost = max(STREAMS - result["open"], result["failed"] + result["refused"]) + result["goaway"]
        return lost, memory / 1e6

    bench.compare_several(["streams lost", "streams memory"], streams, runs=bench.few, warm_up=0)
