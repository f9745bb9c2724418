# SPDX-License-Identifier: Apache-2.0
"""The directory of one run and the names that go with it; and what a run left that was killed with SIGKILL."""
import contextlib
import fcntl
import os
import pathlib
import secrets
import shutil
import sys
import time

import sandbox

PLACE, PREFIX = pathlib.Path("/var/tmp"), "petrel-benchmark-"
# Longer than it takes from making a directory to locking it.
YOUNG_SECONDS = 10


class Workplace:
    """A directory that is locked while its run lasts. `suite_id` is part of the name of all that is outside of it."""

    def __init__(self, directory):
        self.directory = directory
        self.suite_id = directory.name.removeprefix(PREFIX)
        # Of the peers' containers.
        self.cgroup = directory.name

    def remove(self):
        for left in sandbox.remove_cgroups(f"petrel-{self.suite_id}") + sandbox.remove_cgroups(self.cgroup):
            print(f"benchmark: control group {left} could not be removed", file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)


@contextlib.contextmanager
def workplace():
    _sweep()
    place = Workplace(PLACE / (PREFIX + secrets.token_hex(4)))
    # Daemons of both sides make directories beneath it with rights of their own.
    place.directory.mkdir(mode=0o711)
    lock = os.open(place.directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place
    finally:
        place.remove()
        os.close(lock)


def _sweep():
    """Removes what nobody holds any more. Processes, mounts and the disk have gone with the run itself."""
    for directory in PLACE.glob(PREFIX + "????????"):
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < YOUNG_SECONDS:
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Workplace(directory).remove()
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
