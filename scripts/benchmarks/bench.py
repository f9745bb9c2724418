# SPDX-License-Identifier: Apache-2.0
"""What a group of measurements is written with: its rows, the sides that are compared, and the record of samples."""
import dataclasses
import json
import sys
import time

from commands import BenchmarkError

# The name of our side; every other one is a peer's.
OURS = "petrel"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the result.

    `goal` is the ratio ours/theirs that is to be reached: one for all peers of the group, or a dictionary with one for
    each of the row's own peers, in which None is that of a peer which is only shown; or None, and the row has no peers.
    `limit` is the value that ours is to reach, if any. Reached is what is not higher, or, where more is better, not lower.
    """

    name: str
    unit: str
    goal: float | dict | None
    about: str
    limit: float | None = None
    more_is_better: bool = False

    def has_peer(self, name):
        return self.goal is not None and (not isinstance(self.goal, dict) or name in self.goal)

    def goal_beside(self, peer):
        """Without a peer (None) there is only a goal that would be the same beside every one."""
        return self.goal.get(peer) if isinstance(self.goal, dict) else self.goal

    def is_reached(self, value, bound):
        return value >= bound if self.more_is_better else value <= bound


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
            if side.name == OURS:
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
                if side.name == OURS:
                    raise
                self.sides.remove(side)
                self.absent(side.name, str(error))

    def compare(self, name, sample, runs=None, warm_up=1):
        """Calls `sample(side)` in turns for ours and the row's peers; the first `warm_up` results are dropped."""
        self.compare_several([name], lambda side: [sample(side)], runs, warm_up)

    def compare_several(self, names, sample, runs=None, warm_up=1):
        """As `compare`, for rows that are measured at once: `sample(side)` returns a value for each of them."""
        rows = [self.rows[name] for name in names]
        sides = [side for side in self.sides if side.name == OURS or any(row.has_peer(side.name) for row in rows)]
        runs = self.runs if runs is None else runs
        samples, reasons = {side.name: [] for side in sides}, {}
        self.say(f"{', '.join(names)}: {runs} times")
        for turn in range(warm_up + runs):
            for side in sides:
                if side.name in reasons:
                    continue
                try:
                    values = sample(side)
                except (BenchmarkError, OSError) as error:
                    reasons[side.name] = str(error)
                    self.say(f"{names[0]}: {side.name}: {error}")
                    continue
                if turn >= warm_up:
                    samples[side.name].append(values)
        for index, row in enumerate(rows):
            of_row = {side: [values[index] for values in several] for side, several in samples.items()}
            self._write({"row": row.name, "samples": of_row, "reasons": reasons})

    def say(self, text):
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def _write(self, value):
        self.record_file.write(json.dumps(value) + "\n")
        self.record_file.flush()
