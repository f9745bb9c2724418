# SPDX-License-Identifier: Apache-2.0
"""The command line of scripts/soak. A part is one file here with `soak(trial)`; its sandbox, disk, suite and timed
commands are those of scripts/benchmarks."""
import argparse
import importlib
import json
import os
import pathlib
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "benchmarks")]

import sandbox
from trial import Trial
from workplace import workplace

PARTS = ["scale", "cycles", "flood", "calls"]
DISK_GIGABYTES = 16


def parsed():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.split(".")[0] + ".")
    parser.add_argument("parts", metavar="PART", nargs="*", help="one or more of: " + ", ".join(PARTS))
    counts = {
        "containers": (500, 5000, "how many run in scale"),
        "cycles": (2000, 1_000_000, "how many with kills in cycles; more before, without"),
        "at-a-time": (8, 64, "how many cycles at the same time"),
        "followers": (200, 1000, "how many clients follow one container's output in flood"),
        "seconds": (30, 3600, "how long the flood lasts"),
        "megabytes": (2000, 4000, "how much is written, in flood, for clients that read it only afterwards"),
        "calls": (10_000_000, 1_000_000_000, "how many calls are made in calls"),
        "kills": (3, 100, "how often each daemon is killed in scale"),
    }
    for name, (usual, most, about) in counts.items():
        parser.add_argument(f"--{name}", type=int, default=usual, metavar="N", help=f"{about} (default {usual})")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write what was found as JSON")
    arguments = parser.parse_args()
    for name, (_, most, _) in counts.items():
        if not 1 <= getattr(arguments, name.replace("-", "_")) <= most:
            parser.error(f"--{name} is 1 to {most}")
    for part in arguments.parts:
        if part not in PARTS:
            parser.error(f"no part \"{part}\"; there are: {', '.join(PARTS)}")
    arguments.parts = arguments.parts or PARTS
    return arguments


def work_on(part, arguments, place):
    """In the sandbox. 0 when it came to its end, whatever was found."""
    disk = place.directory / "disk"
    with open(place.directory / "record", "w") as record:
        trial = Trial(part, arguments, place.directory, record)
        try:
            module = importlib.import_module(part)
            if getattr(module, "NEEDS_SUITE", True):
                sandbox.make_disk(disk, DISK_GIGABYTES)
                trial.start(os.environ["PETREL_BIN"], disk, place.suite_id)
            module.soak(trial)
        except Exception as error:
            trial.say(f"{type(error).__name__}: {error}")
            trial.find("comes to its end", "yes", f"{type(error).__name__}: {error}", False)
            trial.show_logs()
            return 1
        if trial.is_missed:
            trial.show_logs()
    return 0


def soaked(part, arguments):
    with workplace() as place:
        print(f"{part}: everything is in {place.directory} while it lasts", file=sys.stderr)
        code = sandbox.run(lambda: work_on(part, arguments, place))
        record = place.directory / "record"
        findings = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
        return findings, code == 0


def table(findings):
    lines = [["part", "what", "asked", "found", "met"]]
    for one in findings:
        met = {True: "yes", False: "NO", None: ""}[one["met"]]
        lines.append([one["part"], one["what"], one["asked"], one["found"], met])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([text[0], "  ".join("-" * width for width in widths), *text[1:]])


def interrupted(number, frame):
    # Nothing may cut the cleaning up short.
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    arguments = parsed()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    findings, is_whole = [], True
    for part in arguments.parts:
        found, ended_well = soaked(part, arguments)
        findings += found
        is_whole = is_whole and ended_well and bool(found)
    print(table(findings))
    if arguments.json:
        arguments.json.write_text(json.dumps(findings, indent=2) + "\n")
    return 0 if is_whole and all(one["met"] is not False for one in findings) else 1


sys.exit(main())
