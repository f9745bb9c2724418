# SPDX-License-Identifier: Apache-2.0
"""The results as one self-contained page: a bar chart for each row, light or dark as the reader's machine is."""
import html

import report
from bench import OURS

WIDTH, LABEL, BAR, GAP = 640, 100, 18, 8
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --page: #ffffff; --line: #d1d9e0;
        --ours: #0b6bcb; --theirs: #9aa4af; --goal: #b35900; --good: #1a7f37; --bad: #c62828; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9198a1; --page: #0d1117; --line: #3d444d;
          --ours: #58a6ff; --theirs: #6e7681; --goal: #f0a34a; --good: #56d364; --bad: #ff7b72; } }
body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; background: var(--page); color: var(--ink);
       font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 0; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 0; } p { margin: .2rem 0; color: var(--soft); }
svg { display: block; width: 100%; height: auto; } text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.ours { fill: var(--ours); } .theirs { fill: var(--theirs); } .spread { stroke: var(--ink); stroke-width: 1.5; }
.goal { stroke: var(--goal); stroke-width: 2; stroke-dasharray: 4 2; } .key { fill: var(--goal); }
.good { color: var(--good); } .bad { color: var(--bad); }
"""


def page(results, facts):
    """`facts`: (name, value) pairs about the machine and the programs."""
    escape = html.escape
    parts = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width, initial-scale=1">',
             f"<title>Petrel: benchmarks</title><style>{STYLE}</style></head><body><h1>Petrel: benchmarks</h1>"]
    parts += [f"<p>{escape(name)}: {escape(value)}</p>" for name, value in facts]
    parts.append("<p>Bars are medians; thin lines reach from the 10th to the 90th percentile. The dashed line is the "
                 "goal: Petrel's bar ends to its left, or, where the line has an arrow, at it or to its right.</p>")
    group = None
    for row in _by_row(results):
        first = row[0]
        if first["group"] != group:
            group = first["group"]
            parts.append(f"<h2>{escape(group)}</h2>")
        parts.append(f"<h3>{escape(first['row'])}</h3><p>{escape(first['about'])}, {escape(first['unit'])}</p>")
        parts.append(_chart(row))
        parts += [_verdict(entry) for entry in row]
    return "\n".join(parts + ["</body></html>", ""])


def _by_row(results):
    rows = {}
    for entry in results:
        rows.setdefault((entry["group"], entry["row"]), []).append(entry)
    return rows.values()


def _verdict(entry):
    if entry["note"]:
        return f"<p>{html.escape(entry['note'])}</p>"
    parts = []
    if entry["ratio"] is not None:
        parts.append(f"{report.figure(entry['ratio'])} of {html.escape(entry['peer'])}'s")
    if entry["met"] is not None:
        mark = '<span class="good">met</span>' if entry["met"] else '<span class="bad">missed</span>'
        parts.append(f"goal {html.escape(report.goal_text(entry))}: {mark}")
    return f"<p>{'; '.join(parts)}</p>" if parts else ""


def _goal(row):
    """The value at which all goals are just reached, if there are any."""
    values = [entry["theirs"] * entry["goal"] for entry in row if None not in (entry["theirs"], entry["goal"])]
    if row[0]["limit"] is not None:
        values.append(row[0]["limit"])
    worst = max if row[0]["more_is_better"] else min
    return worst(values) if values and row[0]["ours"] is not None else None


def _chart(row):
    bars = [(OURS, row[0], "ours")] + [(entry["peer"], entry, "theirs") for entry in row]
    bars = [(name, entry, side) for name, entry, side in bars if entry[side] is not None]
    if not bars:
        return ""
    goal = _goal(row)
    # A limit may be far above everything; its line then is not worth that the bars vanish.
    most = max(entry[side + "_p90"] for _, entry, side in bars)
    most = max(most, min(goal or 0, most * 2)) or 1
    scale = (WIDTH - LABEL - 70) / most
    height = len(bars) * (BAR + GAP) + GAP
    title = "; ".join(f"{name} {report.figure(entry[side])} {entry['unit']}" for name, entry, side in bars)
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img"><title>{html.escape(title)}</title>']
    mark = LABEL + goal * scale if goal is not None and goal <= most else None
    for index, (name, entry, side) in enumerate(bars):
        top = GAP + index * (BAR + GAP)
        middle = top + BAR / 2
        end = LABEL + entry[side] * scale
        low, high = (LABEL + entry[side + part] * scale for part in ("_p10", "_p90"))
        value = max(end, high)
        if side == "ours" and mark is not None and value - 6 < mark < value + 45:
            # Not across the figure.
            value = mark + 8
        parts += [
            f'<text x="0" y="{middle + 4}">{html.escape(name)}</text>',
            f'<rect class="{side}" x="{LABEL}" y="{top}" width="{max(1, end - LABEL):.1f}" height="{BAR}" rx="2"/>',
            f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>',
            f'<text x="{value + 6:.1f}" y="{middle + 4}">{report.figure(entry[side])}</text>',
        ]
    if mark is not None:
        parts.append(f'<line class="goal" x1="{mark:.1f}" x2="{mark:.1f}" y1="2" y2="{GAP + BAR + 4}"/>')
        if row[0]["more_is_better"]:
            parts.append(f'<path class="key" d="M{mark:.1f} 1 l8 3.5 l-8 3.5 z"/>')
    return "".join(parts + ["</svg>"])
