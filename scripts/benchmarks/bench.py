# SPDX-License-Identifier: Apache-2.0
"""What a group of measurements is written with: its rows, the sides that are compared, and the record of samples."""
import dataclasses
import json
import sys
import time

from commands import BenchmarkError


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the result. `goal` is the highest ratio ours/theirs; `limit` the highest value of ours, if any."""

    name: str
    unit: str
    goal: float
    about: str
    limit: float | None = None


class Bench:
    """The sides (ours first), alternated, and a file that gets one JSON line for each row."""

    def __init__(self, rows, arguments, work, record):
        self.rows = {row.name: row for row in rows}
        self.work, self.record_file = work, record
        self.runs, self.containers = arguments.runs, arguments.containers
        self.sides = []

    @property
    def few(self):
        """How often what takes seconds is repeated."""
        return max(1, self.runs // 4)

    def start(self, side):
        """Starts a side; one that does not start is recorded with the reason, and left out."""
        self.say(f"starting {side.name}")
        try:
            side.start()
            self._write({"side": side.name, "version": side.version()})
            self.sides.append(side)
        except (BenchmarkError, OSError) as error:
            self.absent(side.name, str(error))
            if side.name == "petrel":
                raise

    def absent(self, name, reason):
        self.say(f"{name} is not there: {reason}")
        self._write({"side": name, "absent": reason})

    def each(self, step):
        """Calls `step(side)` once for each side; a peer that fails is left out from then on, with the reason."""
        for side in list(self.sides):
            try:
                step(side)
            except (BenchmarkError, OSError) as error:
                if side.name == "petrel":
                    raise
                self.sides.remove(side)
                self.absent(side.name, str(error))

    def compare(self, name, sample, runs=None, warm_up=1):
        """Calls `sample(side)` in turns for all sides; the first `warm_up` results are dropped."""
        row = self.rows[name]
        runs = self.runs if runs is None else runs
        samples, reasons = {side.name: [] for side in self.sides}, {}
        self.say(f"{name}: {runs} times")
        for turn in range(warm_up + runs):
            for side in self.sides:
                if side.name in reasons:
                    continue
                try:
                    value = sample(side)
                except (BenchmarkError, OSError) as error:
                    reasons[side.name] = str(error)
                    self.say(f"{name}: {side.name}: {error}")
                    continue
                if turn >= warm_up:
                    samples[side.name].append(value)
        self._write({"row": row.name, "samples": samples, "reasons": reasons})

    def say(self, text):
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def _write(self, value):
        self.record_file.write(json.dumps(value) + "\n")
        self.record_file.flush()
