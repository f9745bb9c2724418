# SPDX-License-Identifier: Apache-2.0
"""Containers are created, started, entered and deleted, again and again: first in peace, for what daemons that live long
keep for nothing; then while daemons and keepers are killed."""
import collections
import concurrent.futures
import os
import random
import signal
import threading
import time

import commands
import remains
from commands import BenchmarkError
from trial import DAEMONS, IMAGE, anonymous_bytes, descriptors, keepers

# Ends when told, with a code of its own.
PROGRAM = "mkfifo /go; read x </go; exit $0"
MEMORY_PERCENT = 5
# Less than what an allocator takes at once is no growth.
MEMORY_BYTES = 512 << 10
SETTLE_SECONDS = 12
# Daemons are started again at once when they have lived for ten seconds; a quicker pace would test waiting.
KEEPER_PAUSE, DAEMON_PAUSE = 0.25, 4.0
# One that writes, four that read.
CONNECTIONS = 5
NAMES = {"init": "petrel-init", **DAEMONS}


def soak(trial):
    count = trial.arguments.cycles
    # Until allocators and caches have what they need for so much at the same time.
    run_cycles(trial, "warm-up", max(count * 3 // 4, 10))
    settle(trial)
    before, memory, files = remains.machine(trial), memory_of(trial), files_of(trial)
    run_cycles(trial, f"{max(count // 2, 1)} cycles in peace", max(count // 2, 1))
    settle(trial)
    compare_memory(trial, "in peace", memory)
    compare_files(trial, "in peace", files)
    with Reaper() as reaper:
        run_cycles(trial, f"{count} cycles with kills", count)
    trial.find("kills", "", ", ".join(f"{name} {number}" for name, number in reaper.kills.items()), None)
    trial.wait_until_healthy()
    trial.none("containers left", trial.petrel("ps", "-a", "-q").stdout.split())
    trial.none("left of removed containers", remains.wait_for_remains(trial))
    settle(trial)
    left = remains.wait_for_nothing(lambda: remains.added(before, remains.machine(trial)))
    trial.none("directories, mounts, control groups and processes more than before", left)
    compare_memory(trial, "after the kills", memory)
    compare_files(trial, "after the kills", files)


def settle(trial):
    """Daemons give memory back when nothing has happened for a moment."""
    time.sleep(SETTLE_SECONDS)
    trial.petrel("run", "--rm", IMAGE, "true")
    time.sleep(3)


# MARK: cycles

def run_cycles(trial, what, count):
    """Each is whole and right, or a line says what was wrong."""
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(trial.arguments.at_a_time) as pool:
        wrong = [line for line in pool.map(lambda number: cycle(trial, number), range(count)) if line]
    took = time.monotonic() - begin
    trial.find(f"{what}: time", "", f"{took:.1f} s, {count / took:.1f} in a second", None)
    for line in wrong[:20]:
        trial.say(line)
    trial.none(f"{what}: stuck, failed or with a wrong exit code", wrong)


def cycle(trial, number):
    """What went wrong, in one line; None if nothing did."""
    name, code = f"c{number}-{random.randrange(1 << 32):x}", 1 + number % 120

    def step(expected, *arguments):
        begin = time.monotonic()
        outcome = trial.attempt(*arguments)
        if outcome.code not in expected:
            said = " ".join((outcome.stderr.strip() or "nothing").split())
            raise BenchmarkError(
                f"{' '.join(arguments)}: {outcome.code}, not {expected[0]}, after {time.monotonic() - begin:.1f} s: {said}")
        return outcome.stdout.strip()

    try:
        step((0,), "create", "--name", name, IMAGE, "sh", "-c", PROGRAM, str(code))
        step((0,), "start", name)
        step((code + 1,), "exec", name, "sh", "-c", f"exit {code + 1}")
        # The container's end may kill it before its own.
        step((0, 137), "exec", name, "sh", "-c", "echo >/go")
        waited = step((0,), "wait", name)
        if waited != str(code):
            raise BenchmarkError(f"wait {name}: {waited}, not {code}")
        step((0,), "rm", name)
    except BenchmarkError as error:
        # So that what is left afterwards is a leak, and not what this one did not come to.
        trial.attempt("rm", "-f", name)
        return f"{time.strftime('%H:%M:%S')} {error}"
    return None


class Reaper:
    """Kills keepers and daemons at random moments, on a thread of its own."""

    def __init__(self):
        self.kills = {"keeper": 0, **{name: 0 for name in DAEMONS}}
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=parts) for parts in
                         [(KEEPER_PAUSE, ["keeper"]), (DAEMON_PAUSE, list(DAEMONS))]]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _work(self, pause, names):
        while not self._end.wait(random.uniform(0, 2 * pause)):
            name = random.choice(names)
            processes = keepers() if name == "keeper" else commands.processes([DAEMONS[name]])
            if processes:
                try:
                    os.kill(random.choice(processes), signal.SIGKILL)
                    self.kills[name] += 1
                except ProcessLookupError:
                    pass


# MARK: what daemons keep

def one(program):
    found = commands.processes([program])
    if len(found) != 1:
        raise BenchmarkError(f"{len(found)} processes of {program}, not 1")
    return found[0]


def memory_of(trial):
    return {name: anonymous_bytes(one(program)) for name, program in NAMES.items()}


def files_of(trial):
    return {name: beyond_pool(descriptors(one(program))) for name, program in NAMES.items()}


def beyond_pool(files):
    """Without the connections to the engine's database, which are opened when they are first needed, and no more of them."""
    pooled = collections.Counter()
    rest = []
    for file in files:
        pooled[file] += 1
        if "/engine.db" not in file or pooled[file] > CONNECTIONS:
            rest.append(file)
    return rest


def compare_memory(trial, when, before):
    for name, now in memory_of(trial).items():
        limit = before[name] + max(before[name] * MEMORY_PERCENT / 100, MEMORY_BYTES)
        trial.find(f"memory of {name} {when}", f"≤ {limit / 1e6:.2f} MB", f"{now / 1e6:.2f} MB", now <= limit)


def compare_files(trial, when, before):
    def more():
        found = []
        for name, now in files_of(trial).items():
            if len(now) > len(before[name]):
                found.append(f"{name} {len(now)}, not {len(before[name])}: {' '.join(sorted(now))}")
        return found

    trial.none(f"descriptors more than before {when}", remains.wait_for_nothing(more))
