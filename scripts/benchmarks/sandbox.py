# SPDX-License-Identifier: Apache-2.0
"""A process and mount namespace of its own for a group of measurements: whatever it starts, mounts or forgets ends with
it, also when it fails, is interrupted or is killed."""
import ctypes
import os
import pathlib
import signal
import subprocess
import time

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _die_with_parent():
    _checked(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def run(body):
    """Runs `body` in a child within new namespaces, and returns its exit code when all that it started is gone.

    There are three processes: the first makes the namespaces and cannot be in the new process namespace itself, the
    second is its process 1 and reaps orphans, the third runs `body`. Each dies with the one before it.
    """
    _checked(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    first = os.fork()
    if first == 0:
        _in_child(_first, body)
    code = 1
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    except BaseException:
        os.kill(first, signal.SIGKILL)
        raise
    finally:
        # Process 1 ends after everything else in its namespace, and falls to us when its parent died before it.
        _reap_all()
    return code


def _in_child(function, body):
    """Never returns into what the parent would do next."""
    code = 1
    try:
        # What interrupts the benchmark is for the outermost process alone; it ends the others.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _die_with_parent()
        code = function(body)
    except BaseException as error:  # The last stop: whatever it is, it must not unwind into the parent's code.
        os.write(2, f"benchmark: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def _first(body):
    os.setsid()
    _checked(_libc.unshare(CLONE_NEWNS | CLONE_NEWPID), "unshare")
    child = os.fork()
    if child == 0:
        _in_child(_process_one, body)
    return abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _process_one(body):
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    worker = os.fork()
    if worker == 0:
        _in_child(lambda body: body(), body)
    while True:
        process, status = os.wait()
        if process == worker:
            return abs(os.waitstatus_to_exitcode(status))


def _reap_all():
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def make_disk(directory, gigabytes):
    """Mounts a new journaled file system at `directory`; its image has no name and goes with the mount."""
    image = directory.with_name(directory.name + ".img")
    directory.mkdir()
    with open(image, "wb") as file:
        file.truncate(gigabytes << 30)
    try:
        # Nothing of making it is put off into the measurements.
        options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", options, image], check=True)
        subprocess.run(["mount", "-o", "loop", image, directory], check=True)
    finally:
        image.unlink()


def remove_cgroups(name, seconds=10):
    """Removes the control groups called `name` in every hierarchy; their processes are gone already.

    Returns those that could not be removed.
    """
    base = pathlib.Path("/sys/fs/cgroup")
    deadline = time.monotonic() + seconds
    while True:
        left = []
        for top in [base / name, *base.glob("*/" + name)]:
            if top.is_symlink() or not top.is_dir():
                continue
            for directory, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    left.append(directory)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)
