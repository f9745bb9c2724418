# SPDX-License-Identifier: Apache-2.0
"""What containers leave on a machine: processes, mounts, control groups, directories."""
import os
import pathlib
import time

import commands
from trial import DAEMONS

# Cleaning up may go on for a moment after the answer.
PATIENCE_SECONDS = 15


def directories(trial):
    """Of the suite, without those that the daemons keep for themselves."""
    for top in (trial.suite.root, trial.suite.run_directory):
        for path, names, _ in os.walk(top):
            for name in names:
                yield os.path.join(path, name)


def control_groups(trial):
    base = pathlib.Path("/sys/fs/cgroup")
    name = f"petrel-{trial.suite.suite_id}"
    for top in [base / name, *base.glob("*/" + name)]:
        for path, names, _ in os.walk(top):
            for name in names:
                yield os.path.join(path, name)


def mounts():
    # By their places: numbers are used again.
    return [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]


def programs():
    """Command lines of all processes of this namespace, without commands of ours that are about to end."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if state == "Z":
                yield "a zombie " + (entry / "comm").read_text().strip()
            elif words[0]:
                yield b" ".join(words[:3]).decode(errors="replace").strip()


def machine(trial):
    """Everything that is there now, as sorted lists."""
    return {
        "directory": sorted(directories(trial)),
        "control group": sorted(control_groups(trial)),
        "mount": sorted(mounts()),
        "process": sorted(programs()),
    }


def added(before, now):
    """What is there now and was not before: one line for each."""
    found = []
    for kind, names in now.items():
        rest = list(before[kind])
        for name in names:
            if name in rest:
                rest.remove(name)
            else:
                found.append(f"{kind} {name}")
    return found


def wait_for_nothing(look, seconds=PATIENCE_SECONDS):
    """What `look` still finds at the end of that time: nothing, as a rule much sooner."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def of_containers(trial):
    """What is left of containers where there is none."""
    root, run = trial.suite.root, trial.suite.run_directory
    places = [root / "supervisor/containers", run / "containers", root / "engine/containers",
              root / "image-store/snapshots", root / "image-store/ingest"]
    found = [f"directory {entry}" for place in places if place.is_dir() for entry in place.iterdir()]
    found += [f"control group {path}" for path in control_groups(trial)]
    found += [f"process {process} (a keeper)" for process in commands.processes(["petrel-keeper"])]
    found += [f"{name}: {len(commands.processes([program]))} processes" for name, program in DAEMONS.items()
              if len(commands.processes([program])) != 1]
    return found


def wait_for_remains(trial):
    return wait_for_nothing(lambda: of_containers(trial))
