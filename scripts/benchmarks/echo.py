# SPDX-License-Identifier: Apache-2.0
"""Sides of the group `rpc`: programs with the command line that Benchmarks/rpc/README.md describes."""
import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import time

import commands
from commands import BenchmarkError

START_SECONDS = 30


class Program:
    """A program that is measured by its own words. `command` is what the words of the contract follow."""

    def __init__(self, name, command, version, environment=None):
        self.name, self.command, self.known_version = name, [str(word) for word in command], version
        self.environment = {**os.environ, **(environment or {})}

    def start(self):
        if not os.access(self.command[0], os.X_OK):
            raise BenchmarkError(f"{self.command[0]} is not there")

    def version(self):
        return self.known_version

    def call(self, *words):
        """Runs one of its commands to the end: the figures that it prints."""
        outcome = commands.run([*self.command, *map(str, words)], self.environment, seconds=120).checked()
        return figures(outcome.stdout, self.name, words[0])


class Echo(Program):
    """A program with a server that runs until the sandbox ends, and any number of others for a while."""

    def __init__(self, name, command, version, place, environment=None):
        super().__init__(name, command, version, environment)
        self.place = place
        self.server = None

    def start(self):
        super().start()
        self.server = Server(self, "main")

    def call_server(self, command, *options):
        return self.call(command, self.server.socket, *options)

    @contextlib.contextmanager
    def fresh_server(self):
        """One that has served nobody else."""
        server = Server(self, "fresh")
        try:
            yield server
        finally:
            server.stop()

    @contextlib.contextmanager
    def holder(self, server, command, *options):
        """A client that has done its work and holds what it has opened: the line that it prints then.

        Then it is told to end; that it does so well is part of the measurement."""
        words = [*self.command, command, server.socket, *map(str, options)]
        with open(self.place / f"{self.name}-{command}.log", "wb") as log:
            process = subprocess.Popen(words, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=log)
        try:
            yield first_line(process, log.name, seconds=120)
            process.stdin.close()
            if process.wait(timeout=120) != 0:
                raise BenchmarkError(f"{command}: exit code {process.returncode}: {last_words(log.name)}")
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"{command} does not end") from error
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


class Server:
    def __init__(self, side, name):
        self.side = side
        self.socket = str(side.place / f"{side.name}-{name}.sock")
        with open(side.place / f"{side.name}-{name}.log", "wb") as log:
            self.process = subprocess.Popen(
                [*side.command, "serve", self.socket], env=side.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )
        line = first_line(self.process, log.name, START_SECONDS)
        if line != "ready":
            raise BenchmarkError(f"serve says \"{line[:80]}\" rather than \"ready\"")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.wait()
            raise BenchmarkError("the server does not end on SIGTERM") from error
        finally:
            self.process.stdout.close()

    def resident_bytes(self):
        return commands.resident_bytes([self.process.pid])

    def processor_seconds(self):
        """Of all its threads; none of these programs ends threads while it works."""
        total = 0
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9


def figures(text, name, command):
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        raise BenchmarkError(f"{name} {command} printed no figures: {text[-80:]!r}") from error


def first_line(process, log, seconds):
    """The first line that a process prints, which then goes on."""
    deadline, line = time.monotonic() + seconds, b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        data = os.read(process.stdout.fileno(), 4096) if readable else b""
        if not data:
            process.kill()
            process.wait()
            raise BenchmarkError(
                f"{' '.join(process.args)[:120]} {'ends' if readable else 'says nothing'}: {last_words(log)}")
        line += data
    return line.decode(errors="replace").strip()


def last_words(log):
    text = pathlib.Path(log).read_text(errors="replace").strip()
    return text.splitlines()[-1][:300] if text else "no message"
