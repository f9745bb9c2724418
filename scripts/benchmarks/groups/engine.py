# SPDX-License-Identifier: Apache-2.0
"""Containers by the command line: starting them, running programs in them, their output, the memory that they take,
and how long the engine is away when it is killed."""
import concurrent.futures
import os
import pathlib
import subprocess
import time

import commands
import docker
import sandbox
from bench import Row
from commands import BenchmarkError
from petrel import Petrel

PEERS = docker.peers()
DISK_GIGABYTES = 8
IMAGE = "busybox:latest"
HOST = ["--network", "host"]
SLEEP = ["sleep", "1000000"]
LOG_BYTES, LINE_BYTES = 200_000_000, 100
LAST_LINE = b"the last line".ljust(LINE_BYTES - 1, b".") + b"\n"
FLEET = 100
AT_A_TIME = 8
SERVING_SECONDS = 180
# A daemon that was up for so long is started again without delay by every supervisor.
UP_SECONDS = 10.5
# What a daemon does once after its start, such as giving memory back, is over by then.
SETTLED_SECONDS = 7
IDLE_SECONDS = 15
QUIET_SECONDS, QUIET_SAMPLES = 5, 10

ROWS = [
    Row("run --rm", "ms", 0.12, "run --rm IMAGE true, to its end"),
    Row("run -d", "ms", 0.10, "run -d IMAGE sleep"),
    Row("exec", "ms", 0.15, "exec true in a running container"),
    Row("ps", "ms", 0.35, f"ps with {FLEET} running containers"),
    Row("log write", "s", 0.15, "run -d of a program that writes 200 MB, until the log on the disk has its last line"),
    Row("log read", "s", 0.05, "logs of those 200 MB, into a pipe"),
    Row("idle memory", "MB", 0.30, "all daemons together (PSS), without a container, after some work"),
    Row("container memory", "MB", 0.10, f"added by each of {FLEET} sleepers, without their own pages", limit=0.5),
    Row("engine killed", "s", 0.25,
        "SIGKILL of the engine under all containers (--containers), until ps lists them again"),
]


def ours(place):
    disk = place.directory / "disk"
    sandbox.make_disk(disk, DISK_GIGABYTES)
    return Petrel(os.environ["PETREL_BIN"], disk, place.suite_id)


def peer(name, place):
    return docker.fetched(name, place)


def measure(bench):
    image = bench.work / "image.tar"
    script = pathlib.Path(__file__).parents[2] / "make-busybox-image"
    subprocess.run([script, image, IMAGE], check=True, stdout=subprocess.DEVNULL)
    # Idle memory is that of daemons that have worked, and then had nothing to do for a while.
    bench.each(lambda side: wait_until_up(side, SETTLED_SECONDS))
    bench.each(lambda side: side.run("load", "-i", str(image)))
    bench.each(lambda side: side.run("run", "--rm", *HOST, IMAGE, "true"))
    time.sleep(IDLE_SECONDS)
    bench.compare("idle memory", idle_memory, runs=5, warm_up=0)
    measure_commands(bench)
    measure_output(bench)
    measure_fleet(bench)


def wait_until_up(side, seconds):
    """Until the side's engine is up for so long."""
    time.sleep(max(0, side.engine_since + seconds - time.monotonic()))


def milliseconds(outcome):
    return outcome.seconds * 1000


# MARK: commands

def measure_commands(bench):
    bench.compare("run --rm", lambda side: milliseconds(side.run("run", "--rm", *HOST, IMAGE, "true")))

    def run_detached(side):
        outcome = side.run("run", "-d", *HOST, IMAGE, *SLEEP)
        side.run("rm", "-f", outcome.stdout.strip())
        return milliseconds(outcome)

    bench.compare("run -d", run_detached)
    bench.each(lambda side: side.run("run", "-d", "--name", "for-exec", *HOST, IMAGE, *SLEEP))
    bench.compare("exec", lambda side: milliseconds(side.run("exec", "for-exec", "true")))
    bench.each(lambda side: side.run("rm", "-f", "for-exec"))


# MARK: output

def measure_output(bench):
    """The program copies lines that are in the page cache, so that what is measured is the way from its pipe to the log
    rather than how fast lines are made."""
    lines = bench.work / "disk" / "lines"
    text = b"a line as long as many that servers write, with a time, an address and".ljust(LINE_BYTES - 12, b".")
    with open(lines, "wb") as file:
        for number in range(LOG_BYTES // LINE_BYTES - 1):
            file.write(b"%010d %s\n" % (number, text))
        file.write(LAST_LINE)
    kept, places = {}, {}

    def write(side):
        if side.name in kept:
            side.run("rm", "-f", kept.pop(side.name))
        os.sync()
        begin = time.monotonic()
        container = side.run("run", "-d", *HOST, "-v", f"{lines}:/lines:ro", IMAGE,
                             "dd", "if=/lines", "bs=64k", "status=none").stdout.strip()
        side.run("wait", container)
        if side.name not in places:
            # Of the first container, which only warms up.
            place = side.run("inspect", "--format", "{{.LogPath}}", container).stdout.strip()
            places[side.name] = place.replace(container, "ID")
        wait_for_last_line(places[side.name].replace("ID", container))
        took = time.monotonic() - begin
        kept[side.name] = container
        return took

    def read(side):
        seconds, count = commands.count_output(side.command("logs", kept[side.name]), side.environment)
        if count != LOG_BYTES:
            raise BenchmarkError(f"logs has {count} bytes, not the {LOG_BYTES} that were written")
        return seconds

    bench.compare("log write", write, runs=bench.few)
    # What was just written is in the page cache for every side.
    bench.compare("log read", read, runs=bench.few, warm_up=0)
    bench.each(lambda side: side.run("rm", "-f", kept[side.name]) if side.name in kept else None)
    lines.unlink()


def wait_for_last_line(place, seconds=120):
    """Until the log at `place` (a file, or a directory of numbered data files) ends with the program's last line."""
    deadline = time.monotonic() + seconds
    while LAST_LINE[:-1] not in last_bytes(place):
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{place} does not have the last line within {seconds} s")
        time.sleep(0.002)


def last_bytes(place, count=1000):
    path = pathlib.Path(place)
    if path.is_dir():
        path = max(path.glob("*.data"), key=lambda file: int(file.stem))
    with open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - count))
        return file.read()


# MARK: many containers

def least_memory(side, helpers=()):
    """The least in some seconds: what daemons do now and then brings code into memory that they let go of afterwards."""
    least = None
    for _ in range(QUIET_SAMPLES):
        now = commands.proportional_bytes(side.daemons() + list(helpers))
        least = now if least is None else min(least, now)
        time.sleep(QUIET_SECONDS / QUIET_SAMPLES)
    return least


def measure_fleet(bench):
    small = min(FLEET, bench.containers)
    time.sleep(SETTLED_SECONDS)
    before = {side.name: least_memory(side) for side in bench.sides}
    bench.each(lambda side: grow(bench, side, small))
    time.sleep(SETTLED_SECONDS)

    def container_memory(side):
        helpers = side.helpers()
        if len(helpers) < small:
            raise BenchmarkError(f"{len(helpers)} helper processes for {small} containers")
        return (least_memory(side, helpers) - before[side.name]) / small / 1e6

    bench.compare("container memory", container_memory, runs=3, warm_up=0)
    bench.compare("ps", lambda side: milliseconds(side.run("ps")))
    bench.each(lambda side: grow(bench, side, bench.containers))
    bench.compare("engine killed", lambda side: away(bench, side), runs=bench.few, warm_up=0)


def idle_memory(side):
    time.sleep(0.2)
    return commands.proportional_bytes(side.daemons()) / 1e6


def running(side):
    return len(side.run("ps", "-q").stdout.split())


def grow(bench, side, size):
    """Starts sleepers until there are `size`, several at a time."""
    bench.say(f"{side.name}: {size} containers")
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        starts = [pool.submit(side.run, "run", "-d", *HOST, IMAGE, *SLEEP) for _ in range(size - running(side))]
        for start in starts:
            start.result()


def away(bench, side):
    """Seconds from the engine's death until `ps`, asked again and again, lists every container."""
    wait_until_up(side, UP_SECONDS)
    begin = side.kill_engine()
    while True:
        outcome = commands.run(side.command("ps", "-q"), side.environment)
        now = time.monotonic()
        if outcome.code == 0 and len(outcome.stdout.split()) == bench.containers:
            return now - begin
        if now - begin > SERVING_SECONDS:
            said = outcome.stderr.strip()[-200:] or f"{len(outcome.stdout.split())} containers are listed"
            raise BenchmarkError(f"not serving {bench.containers} containers within {SERVING_SECONDS} s: {said}")
        time.sleep(0.003)
