# SPDX-License-Identifier: Apache-2.0
"""A container that writes as fast as it can, clients that read nothing, and many that follow one container: nobody's
memory grows with it, nobody else waits for it, and everybody gets every byte once he reads."""
import hashlib
import os
import pathlib
import statistics
import subprocess
import threading
import time

import commands
import remains
from trial import DAEMONS, IMAGE, anonymous_bytes

MEGABYTE = 1 << 20
# Of one daemon or keeper, over what it had before.
DAEMON_MEGABYTES, KEEPER_MEGABYTES, FOLLOWER_KILOBYTES = 24, 2, 256
# How many times slower a command may be while the machine's processors and disk are taken by others.
SLOWER = 10
SAMPLES = 15
FLOOD = "exec dd if=/dev/zero bs=1M 2>/dev/null"
# Lines as a server writes them, until it is told to end.
LINES = ("i=0; while [ ! -e /end ]; do "
         "echo $i a line as long as many that servers write, with a time, an address and more; "
         "i=$((i+1)); usleep 20000; done; echo the end")
# As much as it is asked for, when it is told to begin.
GIVEN = "mkfifo /go; read x </go; exec dd if=/dev/zero bs=1M count=$0 2>/dev/null"


def soak(trial):
    trial.petrel("run", "-d", "--name", "quiet", IMAGE, "sleep", "1000000")
    quiet = latencies(trial)
    watch = MemoryWatch()
    with Clients(trial) as clients, watch:
        trial.petrel("run", "-d", "--name", "lines", IMAGE, "sh", "-c", LINES)
        for number in range(trial.arguments.followers):
            clients.following("lines", trial.work / "disk" / f"follower-{number}")
        pour(trial, clients, quiet)
        give(trial, clients)
        end_followers(trial, clients)
    judge_memory(trial, watch)
    trial.petrel("rm", "-f", "quiet", "lines")
    trial.none("left of removed containers", remains.wait_for_remains(trial))


def latencies(trial):
    run = [trial.petrel("run", "--rm", IMAGE, "true").seconds * 1000 for _ in range(SAMPLES + 1)][1:]
    entered = [trial.petrel("exec", "quiet", "true").seconds * 1000 for _ in range(SAMPLES + 1)][1:]
    return {"run --rm": statistics.median(run), "exec": statistics.median(entered)}


# MARK: without end

def pour(trial, clients, quiet):
    """It writes on, whoever reads, and nobody else's commands wait for it."""
    flood = trial.petrel("run", "-d", "--name", "flood", IMAGE, "sh", "-c", FLOOD).stdout.strip()
    unread = [clients.unread("logs", "-f", "flood"), clients.unread("attach", "--no-stdin", "flood")]
    place = pathlib.Path(trial.petrel("inspect", "-f", "{{.LogPath}}", flood).stdout.strip())
    begin, first = time.monotonic(), written(place)
    busy = latencies(trial)
    while time.monotonic() < begin + trial.arguments.seconds:
        time.sleep(0.2)
    rate = (written(place) - first) / (time.monotonic() - begin)
    trial.find("written by the flood", "", f"{rate / 1e6:.0f} MB in a second", None)
    for name, before in quiet.items():
        trial.find(f"{name} during the flood", f"≤ {SLOWER} times {before:.1f} ms", f"{busy[name]:.1f} ms",
                   busy[name] <= SLOWER * before)
    ended = [client.args[-3:] for client in unread if client.poll() is not None]
    trial.none("clients that ended because nobody reads", ended)
    trial.petrel("rm", "-f", "flood")


def written(place):
    """Bytes of all that was ever in a spool, by the numbers of its segments."""
    while True:
        files = sorted(place.glob("*.data"), key=lambda file: int(file.stem))
        try:
            if files:
                number = int(files[-1].stem) - 1
                return number * (64 << 20) + files[-1].stat().st_size
        except FileNotFoundError:
            continue
        time.sleep(0.05)


# MARK: read afterwards

def give(trial, clients):
    """Clients that read nothing until all is written then get all of it."""
    megabytes = trial.arguments.megabytes
    trial.petrel("run", "-d", "--name", "given", "--log-opt", "max-size=100m", "--log-opt", "max-file=100", IMAGE,
                 "sh", "-c", GIVEN, str(megabytes))
    unread = {" ".join(words): clients.unread(*words) for words in
              (["logs", "-f", "given"], ["attach", "--no-stdin", "given"])}
    # Attaching is from the moment when it is attached.
    time.sleep(2)
    begin = time.monotonic()
    trial.petrel("exec", "given", "sh", "-c", "echo >/go")
    trial.petrel("wait", "given", seconds=300)
    took = time.monotonic() - begin
    trial.find(f"{megabytes} MB written while nobody reads", "", f"{took:.1f} s", None)
    for name, client in unread.items():
        begin, count = time.monotonic(), read_all(client)
        took = time.monotonic() - begin
        trial.find(f"{name}, read afterwards", f"{megabytes << 20} bytes, exit code 0",
                   f"{count} bytes, exit code {client.returncode}, {took:.1f} s",
                   count == megabytes << 20 and client.returncode == 0)
    trial.petrel("rm", "-f", "given")


def read_all(client, seconds=300):
    """Until its end; it is killed when it takes longer."""
    timer = threading.Timer(seconds, client.kill)
    timer.start()
    buffer, count = bytearray(MEGABYTE), 0
    while size := os.readv(client.stdout.fileno(), [buffer]):
        count += size
    client.wait()
    timer.cancel()
    return count


# MARK: followers

def end_followers(trial, clients):
    trial.petrel("exec", "lines", "touch", "/end")
    trial.petrel("wait", "lines")
    begin = time.monotonic()
    late = clients.wait_for_followers()
    took = time.monotonic() - begin
    trial.none("followers that do not end with their container", late)
    right = hashlib.sha256(trial.petrel("logs", "lines").stdout.encode()).hexdigest()
    wrong = [path.name for path in clients.files if hashlib.sha256(path.read_bytes()).hexdigest() != right]
    trial.find(f"{len(clients.files)} followers end after their container in", "", f"{took:.2f} s", None)
    trial.none("followers that have anything else than logs has", wrong)


class Clients:
    """Commands that run along, and end with this at the latest."""

    def __init__(self, trial):
        self.suite, self.files = trial.suite, []
        self.all, self.followers = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.all:
            client.kill()
            client.wait()

    def _start(self, words, output):
        client = subprocess.Popen(self.suite.command(*words), env=self.suite.environment, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=subprocess.DEVNULL)
        self.all.append(client)
        return client

    def unread(self, *words):
        return self._start(words, subprocess.PIPE)

    def following(self, container, path):
        with open(path, "wb") as file:
            self.followers.append(self._start(["logs", "-f", container], file))
        self.files.append(path)

    def wait_for_followers(self, seconds=60):
        deadline = time.monotonic() + seconds
        late = []
        for number, client in enumerate(self.followers):
            try:
                client.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                late.append(f"follower-{number}")
        return late


# MARK: memory

class MemoryWatch:
    """The most memory that each daemon and keeper had while it lasts, and what they had at its begin."""

    def __init__(self):
        self.first, self.most = {}, {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self):
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _work(self):
        while not self._end.wait(0.3):
            self._look()

    def _look(self):
        for name in [*DAEMONS.values(), "petrel-init", "petrel-keeper"]:
            for process in commands.processes([name]):
                size = anonymous_bytes(process)
                self.first.setdefault(name, size)
                self.most[name] = max(size, self.most.get(name, 0))


def judge_memory(trial, watch):
    for name, most in watch.most.items():
        allowed = KEEPER_MEGABYTES if name == "petrel-keeper" else DAEMON_MEGABYTES
        if name == DAEMONS["engine"]:
            allowed += FOLLOWER_KILOBYTES * trial.arguments.followers / 1000
        trial.at_most(f"most memory of {name}, over its {watch.first[name] / 1e6:.1f} MB",
                      (most - watch.first[name]) / 1e6, allowed, "MB")
