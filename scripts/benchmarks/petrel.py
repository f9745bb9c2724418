# SPDX-License-Identifier: Apache-2.0
"""Our side: a suite of its own, by its command line."""
import json
import os
import pathlib
import signal
import time

import commands
from commands import BenchmarkError

DAEMONS = ["petrel-init", "petrel-engine", "petrel-runtime-supervisor", "petrel-image-store"]
# A template and the copy in reserve beside the keepers: they are there for the containers alone.
HELPERS = ["petrel-keeper", "petrel-waiter"]


class Petrel:
    name = "petrel"

    def __init__(self, binaries, disk, suite_id):
        self.binaries = os.path.realpath(binaries)
        self.root, self.run_directory = disk / "petrel", disk / "petrel-run"
        self.suite_id = suite_id
        self.program = self.binaries + "/petrel"
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "PETREL_ROOT": str(self.root),
            "PETREL_RUN": str(self.run_directory),
        }
        self.engine_since = 0

    def start(self):
        # A name that is known before anything is made with it, so that its control groups are found whatever happens.
        self.root.mkdir(mode=0o711)
        (self.root / "suite-id").write_text(self.suite_id)
        commands.forget(file for file in pathlib.Path(self.binaries).glob("petrel*") if file.is_file())
        self.run("system", "start", "--bin", self.binaries)
        self.engine_since = time.monotonic()

    def version(self):
        return self.run("--version").stdout.split()[-1]

    def command(self, *arguments):
        return [self.program, *arguments]

    def run(self, *arguments):
        return commands.run(self.command(*arguments), self.environment).checked()

    def daemons(self):
        return commands.processes(DAEMONS)

    def helpers(self):
        # A keeper has left the tree of files that its executable is in, so its name is all there is.
        return commands.processes(HELPERS)

    def kill_engine(self):
        """petrel-init starts the next one."""
        rows = json.loads(self.run("system", "status", "--format", "json").stdout)
        processes = [row["pid"] for row in rows if row["name"] == "engine"]
        if not processes or not processes[0]:
            raise BenchmarkError("the engine does not run")
        begin = time.monotonic()
        os.kill(processes[0], signal.SIGKILL)
        self.engine_since = begin
        return begin
