# SPDX-License-Identifier: Apache-2.0
"""Many running containers: what they cost while nothing happens, and how soon each daemon is back."""
import statistics
import time

import commands
from commands import BenchmarkError
from groups.engine import UP_SECONDS, grow
from remains import wait_for_remains
from trial import DAEMONS, anonymous_bytes, processor_seconds

SETTLE_SECONDS, IDLE_SECONDS = 10, 30
SERVING_SECONDS, PS_MILLISECONDS, IDLE_PERCENT = 1, 50, 0.5
# Of all daemons together: what any work adds once, and what each container adds.
WORK_MEGABYTES, CONTAINER_KILOBYTES = 6, 64
STARTS = ["petrel-init", *DAEMONS.values()]


def soak(trial):
    count = trial.arguments.containers
    time.sleep(SETTLE_SECONDS)
    before = {name: memory(name) for name in STARTS}
    begin = time.monotonic()
    grow(trial, trial.suite, count)
    took = time.monotonic() - begin
    trial.find(f"{count} containers started", "", f"{took:.1f} s, {took / count * 1000:.0f} ms each", None)
    programs = sleepers()
    time.sleep(SETTLE_SECONDS)
    measure_memory(trial, before, count)
    measure_idle(trial)
    times = [trial.petrel("ps").seconds * 1000 for _ in range(21)][1:]
    trial.at_most(f"ps of {count}, median", statistics.median(times), PS_MILLISECONDS, "ms")
    for daemon in DAEMONS:
        away = [seconds_away(trial, daemon, count) for _ in range(trial.arguments.kills)]
        trial.at_most(f"{daemon} killed, longest until it serves", max(away), SERVING_SECONDS, "s", 3)
    trial.none("containers that did not live through it", programs ^ sleepers())
    time.sleep(SETTLE_SECONDS)
    measure_idle(trial, ", after the kills")
    remove_all(trial)
    trial.none("left of removed containers", wait_for_remains(trial))


def memory(name):
    return sum(anonymous_bytes(process) for process in commands.processes([name]))


def measure_memory(trial, before, count):
    added = {name: memory(name) - before[name] for name in STARTS}
    for name in STARTS:
        text = f"{before[name] / 1e6:.1f} MB, and {added[name] / count / 1e3:.1f} kB for each container"
        trial.find(f"memory of {name}", "", text, None)
    trial.at_most("memory added to all daemons", sum(added.values()) / 1e6,
                  WORK_MEGABYTES + CONTAINER_KILOBYTES * count / 1e3, "MB")


def measure_idle(trial, when=""):
    names = [*STARTS, "petrel-keeper", "petrel-waiter"]
    everybody = commands.processes(names)
    begin, used = time.monotonic(), {name: processor_seconds(commands.processes([name])) for name in names}
    time.sleep(IDLE_SECONDS)
    took = time.monotonic() - begin
    parts = {name: (processor_seconds(commands.processes([name])) - used[name]) / took * 100 for name in used}
    trial.say(f"{len(everybody)} processes: " + ", ".join(f"{name} {part:.3f} %" for name, part in parts.items()))
    trial.at_most("one processor's time of all while nothing happens" + when, sum(parts.values()), IDLE_PERCENT,
                  "%", 3)


def sleepers():
    return set(commands.processes(["sleep"]))


def is_serving(trial, daemon, count):
    if daemon == "image-store":
        return trial.attempt("images", "-q").stdout.strip() != ""
    listed = trial.attempt("ps", "-q")
    if listed.code != 0 or len(listed.stdout.split()) != count:
        return False
    # The last one that it takes up is as good as the first.
    return daemon == "engine" or trial.attempt("exec", listed.stdout.split()[0], "true").code == 0


def seconds_away(trial, daemon, count):
    trial.wait_until_old(UP_SECONDS)
    begin = trial.kill(daemon)
    while not is_serving(trial, daemon, count):
        if time.monotonic() - begin > 60:
            raise BenchmarkError(f"the {daemon} does not serve {count} containers within 60 s")
        time.sleep(0.003)
    return time.monotonic() - begin


def remove_all(trial):
    begin = time.monotonic()
    names = trial.petrel("ps", "-a", "-q").stdout.split()
    if names:
        trial.petrel("rm", "-f", *names, seconds=300)
        took = time.monotonic() - begin
        trial.find(f"{len(names)} containers removed", "",
                   f"{took:.1f} s, {took / len(names) * 1000:.0f} ms each", None)
