# SPDX-License-Identifier: Apache-2.0
"""The command line of scripts/benchmark.

A group of measurements is one file in groups/: ROWS; PEERS, the names of its peers; `ours(place)` and
`peer(name, place)`, which make the sides that are then started; and `measure(bench)`. What has to be installed for it
stands in scripts/lib/install.sh.
"""
import argparse
import importlib
import json
import os
import pathlib
import platform
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import page
import report
import sandbox
from bench import Bench
from commands import BenchmarkError
from workplace import workplace


def groups():
    names = sorted(file.stem for file in (HERE / "groups").glob("*.py"))
    return {name: importlib.import_module(f"groups.{name}") for name in names}


def parsed(known):
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark", description="Measures Petrel, side by side with its peers.",
        epilog="Ends with 0 whatever the figures are, unless --check is given.")
    parser.add_argument("groups", metavar="GROUP", nargs="*", help="one or more of: " + ", ".join(known))
    parser.add_argument("--with-peers", action="store_true", help="fetch, start and measure the peers too")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--html", type=pathlib.Path, metavar="FILE", help="write the results as a page with charts")
    parser.add_argument("--runs", type=int, default=20, metavar="N",
                        help="how often what is short is measured; what takes seconds, a quarter of that (default 20)")
    parser.add_argument("--containers", type=int, default=500, metavar="N",
                        help="how many run when the engine is killed (default 500)")
    parser.add_argument("--check", action="store_true",
                        help="end with 1 when a goal is missed, or cannot be judged though peers were asked for")
    parser.add_argument("--list", action="store_true", help="list the groups and their rows")
    arguments = parser.parse_args()
    for name in arguments.groups:
        if name not in known:
            parser.error(f"no group \"{name}\"; there are: {', '.join(known)}")
    if not 1 <= arguments.runs <= 1000 or not 1 <= arguments.containers <= 5000:
        parser.error("--runs is 1 to 1000, --containers 1 to 5000")
    arguments.groups = arguments.groups or list(known)
    return arguments


def listed(known, names):
    for name in names:
        for row in known[name].ROWS:
            print(f"{name}\t{row.name}\t{row.unit}\t{report.goals_text(row)}\t{row.about}")


def work_on(group, arguments, place):
    """In the sandbox: everything that a group measures. Its exit code."""
    with open(place.directory / "record", "w") as record:
        bench = Bench(group.ROWS, arguments, place.directory, record)
        try:
            bench.start(group.ours(place))
            for name in group.PEERS if arguments.with_peers else []:
                try:
                    bench.say(f"preparing {name}")
                    bench.start(group.peer(name, place))
                except (BenchmarkError, OSError) as error:
                    bench.absent(name, str(error))
            group.measure(bench)
        except Exception as error:
            bench.say(f"{type(error).__name__}: {error}")
            return 1
    return 0


def measured(name, group, arguments):
    """The records of one group, made in a sandbox; and whether it came to its end."""
    with workplace() as place:
        print(f"{name}: everything is in {place.directory} while it lasts", file=sys.stderr)
        code = sandbox.run(lambda: work_on(group, arguments, place))
        record = place.directory / "record"
        lines = record.read_text().splitlines() if record.exists() else []
        return [json.loads(line) for line in lines], code == 0


def machine(versions):
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 1e6
    return [
        ("Date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("Machine", f"{os.cpu_count()} processors, {memory:.0f} GB, Linux {platform.release()} {platform.machine()}"),
        ("Programs", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]


def interrupted(number, frame):
    # Nothing may cut the cleaning up short.
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    known = groups()
    arguments = parsed(known)
    if arguments.list:
        return listed(known, arguments.groups)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    results, versions, is_whole = [], {}, True
    for name in arguments.groups:
        records, ended_well = measured(name, known[name], arguments)
        is_whole = is_whole and ended_well
        versions.update({record["side"]: record["version"] for record in records if "version" in record})
        peers = known[name].PEERS if arguments.with_peers else []
        results += report.entries(name, known[name].ROWS, records, peers)
    facts = machine(versions)
    print("\n".join(f"{name}: {value}" for name, value in facts), end="\n\n")
    print("\n".join(report.table(results)))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    if arguments.html:
        arguments.html.write_text(page.page(results, facts), encoding="utf-8")
    if not is_whole:
        return 1
    is_missed = any(report.is_missed(entry, arguments.with_peers) for entry in results)
    return 1 if arguments.check and is_missed else 0


sys.exit(main())
