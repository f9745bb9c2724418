# SPDX-License-Identifier: Apache-2.0
"""What a part is written with: a suite of its own, what it is asked and what was found, and its daemons' figures."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import commands
from commands import BenchmarkError
from petrel import Petrel

IMAGE = "busybox:latest"
DAEMONS = {"engine": "petrel-engine", "supervisor": "petrel-runtime-supervisor", "image-store": "petrel-image-store"}
# What nobody has answered by then is stuck.
STUCK_SECONDS = 60


class Trial:
    def __init__(self, part, arguments, work, record):
        self.part, self.arguments, self.work, self.record = part, arguments, work, record
        self.is_missed = False

    def start(self, binaries, disk, suite_id):
        self.disk = disk
        self.suite = Petrel(binaries, disk, suite_id)
        self.suite.start()
        image = self.work / "image.tar"
        script = pathlib.Path(__file__).parents[1] / "make-busybox-image"
        subprocess.run([script, image, IMAGE], check=True, stdout=subprocess.DEVNULL)
        self.petrel("load", "-i", str(image))
        self.petrel("run", "--rm", IMAGE, "true")

    def attempt(self, *arguments, seconds=STUCK_SECONDS):
        """A command's outcome, whatever it is.
        Throws BenchmarkError if it did not end in time."""
        return commands.run(self.suite.command(*arguments), self.suite.environment, seconds)

    def petrel(self, *arguments, seconds=STUCK_SECONDS):
        """A command that must succeed."""
        return self.attempt(*arguments, seconds=seconds).checked()

    # MARK: what was asked and found

    def find(self, what, asked, found, met):
        """`met`: None for what is only told."""
        self.is_missed = self.is_missed or met is False
        self.record.write(json.dumps(
            {"part": self.part, "what": what, "asked": asked, "found": str(found), "met": met}) + "\n")
        self.record.flush()
        self.say(f"{what}: {found}" + (" (NOT MET)" if met is False else ""))

    def at_most(self, what, value, limit, unit, digits=1):
        self.find(what, f"≤ {limit:g} {unit}", f"{value:.{digits}f} {unit}", value <= limit)

    def none(self, what, found):
        """Of a list that has to be empty."""
        text = "none" if not found else f"{len(found)}: " + "; ".join(str(one) for one in list(found)[:3])[:300]
        self.find(what, "none", text, not found)

    def say(self, text):
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def show_logs(self):
        """What the daemons said of late, other than that they did as they were told."""
        for file in sorted((self.work / "disk" / "petrel" / "log").glob("*")):
            lines = [line for line in file.read_text(errors="replace").splitlines() if " info " not in line]
            print(f"--- {file.name}", *lines[-25:], sep="\n", file=sys.stderr)

    # MARK: daemons

    def process(self, daemon):
        """The process id; None while it is away."""
        rows = commands.processes([DAEMONS[daemon]])
        return rows[0] if rows else None

    def kill(self, daemon):
        """When it was killed."""
        process = self.process(daemon)
        if process is None:
            raise BenchmarkError(f"{daemon} does not run")
        begin = time.monotonic()
        os.kill(process, signal.SIGKILL)
        return begin

    def wait_until_healthy(self, seconds=STUCK_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            outcome = self.attempt("system", "status", "--format", "json")
            if outcome.code == 0 and all(self.process(daemon) for daemon in DAEMONS):
                return
            if time.monotonic() > deadline:
                raise BenchmarkError(f"not all daemons serve within {seconds} s: {outcome.stderr.strip()[-200:]}")
            time.sleep(0.1)

    def wait_until_old(self, seconds):
        """Until every daemon is up for so long, so that its next death is followed by a start at once."""
        wait = max(0.0, *(seconds - age(self.process(daemon)) for daemon in DAEMONS))
        time.sleep(wait)


def keepers():
    """Without processes on their way from a keeper's clone to the container's program: those are the container."""
    found = []
    parents = {}
    for process in commands.processes(["petrel-keeper"]):
        try:
            lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        values = dict(line.split(":", 1) for line in lines)
        if values["Name"].strip() == "petrel-keeper" and len(values["NSpid"].split()) == 1:
            found.append(process)
            parents[process] = int(values["PPid"])
    # A keeper's clone bears its name for a moment.
    return [process for process in found if parents[process] not in found]


def age(process):
    """Seconds since the process was started."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    return uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def anonymous_bytes(process):
    """The memory that is a process's own (anonymous PSS); 0 when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss_Anon:")) * 1024


def processor_seconds(processes):
    """What all their threads have used, ended ones too, to a clock tick for each process."""
    total = 0
    for process in processes:
        try:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def descriptors(process):
    return [os.readlink(entry) for entry in pathlib.Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()]
