# SPDX-License-Identifier: Apache-2.0
"""Command lines, run and timed in the same way for every side."""
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time


class BenchmarkError(Exception):
    """A measurement that is not possible; the text says why, in one line."""


class Outcome:
    """How a command ended: seconds of wall time, its exit code, and what it wrote."""

    def __init__(self, seconds, code, stdout, stderr, command):
        self.seconds, self.code, self.stdout, self.stderr, self.command = seconds, code, stdout, stderr, command

    def checked(self):
        if self.code != 0:
            text = (self.stderr.strip() or self.stdout.strip() or "no message").splitlines()[-1]
            raise BenchmarkError(f"{' '.join(self.command)[:120]}: exit code {self.code}: {text}")
        return self


def run(command, environment, seconds=300):
    """Runs a command to its end, with its output in files, so that nobody has to read along.

    From `posix_spawn` to the child's end on the monotonic clock. Killed after `seconds`; that is an error.
    """
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, stdout.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2),
        ]
        begin = time.monotonic()
        process = os.posix_spawn(command[0], command, environment, file_actions=actions)
        code = _wait(process, begin + seconds)
        took = time.monotonic() - begin
        if code is None:
            raise BenchmarkError(f"{' '.join(command)[:120]}: no end within {seconds} s")
        stdout.seek(0)
        stderr.seek(0)
        texts = [file.read().decode(errors="replace") for file in (stdout, stderr)]
        return Outcome(took, code, *texts, command)


def forget(programs):
    """Lets the kernel forget what it holds of these files, as far as nobody runs them.

    What a linker has written lies there in other pieces than what was unpacked from a package, which a program's start
    and its memory tell by a third. After this all are as on a machine that was booted since: read as they are used."""
    for program in programs:
        descriptor = os.open(program, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _wait(process, deadline):
    """Its exit code; None when it had to be killed at the deadline."""
    descriptor = os.pidfd_open(process)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        ended = poll.poll(max(0, deadline - time.monotonic()) * 1000)
        if not ended:
            os.kill(process, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return code if ended else None
    finally:
        os.close(descriptor)


def output(command, directory, environment=None, seconds=600):
    """What a command that prepares something writes; not timed."""
    try:
        result = subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(f"{command[0]}: {error}") from error
    if result.returncode != 0:
        lines = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()
        raise BenchmarkError(f"{command[0]} {' '.join(map(str, command[-3:]))}: {lines[-1]}")
    return result.stdout


def count_output(command, environment):
    """Runs a command whose output goes through a pipe to a reader that counts: (seconds, bytes)."""
    reading, writing = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, writing, 1),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ]
    buffer, count = bytearray(1 << 20), 0
    begin = time.monotonic()
    process = os.posix_spawn(command[0], command, environment, file_actions=actions)
    os.close(writing)
    while size := os.readv(reading, [buffer]):
        count += size
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    took = time.monotonic() - begin
    os.close(reading)
    if code != 0:
        raise BenchmarkError(f"{' '.join(command)[:120]}: exit code {code}")
    return took, count


def processes(names, directory=None):
    """The ids of this namespace's processes that were started by one of these names; only those with their executable
    below `directory`, if there is one."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            program = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
            executable = os.readlink(entry / "exe") if directory else ""
        except OSError:
            continue
        if os.path.basename(program) in names and (not directory or executable.startswith(f"{directory}/")):
            found.append(int(entry.name))
    return found


def proportional_bytes(processes):
    """The memory of processes: their own pages, and their part of those that they share (PSS)."""
    return _memory(processes, "Pss:")


def resident_bytes(processes):
    """The memory of processes, with all of what they share (RSS)."""
    return _memory(processes, "Rss:")


def _memory(processes, kind):
    total = 0
    for process in processes:
        try:
            text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(kind)) * 1024
    return total
