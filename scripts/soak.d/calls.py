# SPDX-License-Identifier: Apache-2.0
"""Millions of calls of all kinds through the transport, some cancelled at random: none fails that was not cancelled, and
neither side's memory grows."""
import json
import os
import pathlib
import subprocess
import time

from commands import BenchmarkError
from trial import anonymous_bytes

NEEDS_SUITE = False
IN_FLIGHT = 64
# Before it, both sides still come to the memory that they work with.
WARM_CALLS = 0.1
# Of what a side has after that.
GROWTH = 1.05
MEGABYTE = 1 << 20


def soak(trial):
    program = pathlib.Path(os.environ["PETREL_BIN"]).resolve() / "rpc-echo"
    socket = trial.work / "echo.sock"
    server = subprocess.Popen([program, "serve", socket], stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout.readline() != "ready\n":
            raise BenchmarkError("rpc-echo does not serve")
        samples, code, errors = run(trial, program, socket, server)
    finally:
        server.kill()
        server.wait()
    judge(trial, samples, code, errors)


def run(trial, program, socket, server):
    """What both sides had at each line that the client printed."""
    words = [program, "soak", socket, "--calls", str(trial.arguments.calls), "--in-flight", str(IN_FLIGHT)]
    client = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    samples, begin, told = [], time.monotonic(), 0.0
    try:
        for line in client.stdout:
            state = json.loads(line)
            memory = [anonymous_bytes(server.pid), anonymous_bytes(client.pid)]
            samples.append((state, time.monotonic() - begin, memory))
            if time.monotonic() - told > 30:
                told = time.monotonic()
                trial.say(f"{state['calls']} calls, {memory[0] / MEGABYTE:.1f} and {memory[1] / MEGABYTE:.1f} MB")
        return samples, client.wait(), client.stderr.read().strip()
    finally:
        client.kill()
        client.wait()


def judge(trial, samples, code, errors):
    last = samples[-1] if samples else ({"calls": 0, "cancelled": 0, "end": False}, 0, [0, 0])
    state, seconds, _ = last
    trial.find("calls that failed without being cancelled", "none", errors or "none", code == 0)
    trial.find("calls", str(trial.arguments.calls), state["calls"], state["end"] and state["calls"] == trial.arguments.calls)
    trial.find("of them cancelled on their way", "some", state["cancelled"], state["cancelled"] > 0)
    trial.find("calls a second", "", f"{state['calls'] / max(seconds, 0.001):.0f}", None)
    warm = [one for one in samples if one[0]["calls"] >= WARM_CALLS * trial.arguments.calls and not one[0]["end"]]
    if len(warm) < 8:
        trial.find("memory", "", "too few calls to tell", None)
        return
    quarter = len(warm) // 4
    for side, name in enumerate(["server", "client"]):
        early = median([one[2][side] for one in warm[:quarter]])
        late = median([one[2][side] for one in warm[-quarter:]])
        limit = max(early * GROWTH, early + MEGABYTE)
        trial.at_most(f"memory of the {name} in the last quarter", late / MEGABYTE, limit / MEGABYTE, "MB", digits=2)


def median(values):
    return sorted(values)[len(values) // 2]
