# SPDX-License-Identifier: Apache-2.0
"""From the samples of a run to results: one entry for each row and peer, as values, as JSON and as a table."""
import statistics
import textwrap

from bench import OURS


def percentile(samples, part):
    """With linear interpolation between the two samples around it."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * part
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(samples):
    """Median, 10th and 90th percentile; nothing of nothing."""
    if not samples:
        return {"": None, "_p10": None, "_p90": None}
    return {"": statistics.median(samples), "_p10": percentile(samples, 0.1), "_p90": percentile(samples, 0.9)}


def entries(group, rows, records, peers):
    """`peers`: the names of the group's that were asked for. A goal that cannot be judged is neither met nor missed."""
    absent = {record["side"]: record["absent"] for record in records if "absent" in record}
    measured = {record["row"]: record for record in records if "row" in record}
    result = []
    for row in rows:
        record = measured.get(row.name, {"samples": {}, "reasons": {}})
        for peer in [name for name in peers if row.has_peer(name)] or [None]:
            ours, theirs = record["samples"].get(OURS, []), record["samples"].get(peer, [])
            reasons = []
            if not ours or OURS in record["reasons"]:
                reasons.append(f"{OURS}: " + record["reasons"].get(OURS, absent.get(OURS, "not measured")))
                ours = []
            if peer and (not theirs or peer in record["reasons"]):
                reasons.append(f"{peer}: " + record["reasons"].get(peer, absent.get(peer, "not measured")))
                theirs = []
            result.append(_entry(group, row, peer, ours, theirs, "; ".join(reasons)))
    return result


def _entry(group, row, peer, ours, theirs, note):
    mine, other = spread(ours), spread(theirs)
    ratio = mine[""] / other[""] if ours and theirs and other[""] else None
    goal = row.goal_beside(peer)
    bounds = [(ratio, goal), (mine[""], row.limit)]
    judged = [None if value is None else row.is_reached(value, bound) for value, bound in bounds if bound is not None]
    # One part is enough to miss; to meet takes all of them.
    met = False if False in judged else None if None in judged or not judged else True
    entry = {"group": group, "row": row.name, "unit": row.unit, "peer": peer, "ours": mine[""], "theirs": other[""],
             "ratio": ratio, "goal": goal, "met": met, "more_is_better": row.more_is_better}
    entry.update({f"ours{key}": mine[key] for key in ("_p10", "_p90")})
    entry.update({f"theirs{key}": other[key] for key in ("_p10", "_p90")})
    entry.update({"limit": row.limit, "runs": len(ours), "about": row.about, "note": note})
    return entry


def figure(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return ""
    for limit, digits in ((1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def with_spread(entry, side):
    if entry[side] is None:
        return ""
    return f"{figure(entry[side])} ({figure(entry[side + '_p10'])}–{figure(entry[side + '_p90'])})"


def has_goal(entry):
    return entry["goal"] is not None or entry["limit"] is not None


def is_missed(entry, with_peers):
    """Also what is not judged though it could have been."""
    if entry["met"] is None:
        return has_goal(entry) and (with_peers or entry["goal"] is None)
    return not entry["met"]


def goal_text(entry):
    goal = [] if entry["goal"] is None else [f"{entry['goal']:.2f}"]
    limit = [] if entry["limit"] is None else [f"{entry['limit']:g} {entry['unit']}"]
    sign = "≥" if entry["more_is_better"] else "≤"
    return ", ".join(f"{sign} {text}" for text in goal + limit)


def goals_text(row):
    """Of a row, beside whatever peers."""
    goals = row.goal if isinstance(row.goal, dict) else {"": row.goal}
    sign = "≥" if row.more_is_better else "≤"
    texts = [f"{sign} {goal:.2f} {peer}".strip() for peer, goal in goals.items() if goal is not None]
    limit = [] if row.limit is None else [f"{sign} {row.limit:g} {row.unit}"]
    return ", ".join(texts + limit) or "none"


def met_text(entry):
    return {True: "yes", False: "NO", None: ""}[entry["met"]]


def table(results):
    """Lines for a terminal: a row's name stands once, its peers below each other."""
    lines = [["row", "", OURS, "peer", "its", "ratio", "goal", "met"]]
    previous = None
    for entry in results:
        again = (entry["group"], entry["row"]) == previous
        previous = (entry["group"], entry["row"])
        lines.append([
            "" if again else entry["row"], "" if again else entry["unit"],
            "" if again else with_spread(entry, "ours"), entry["peer"] or "", with_spread(entry, "theirs"),
            "" if entry["ratio"] is None else f"{entry['ratio']:.3f}", goal_text(entry), met_text(entry),
        ])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    return text + _notes(results)


def _notes(results):
    """Each reason once, with the rows that it is the reason of."""
    rows = {}
    for entry in results:
        for reason in filter(None, entry["note"].split("; ")):
            rows.setdefault(reason, [])
            if entry["row"] not in rows[reason]:
                rows[reason].append(entry["row"])
    count = len({entry["row"] for entry in results})
    lines = [""] if rows else []
    for reason, names in rows.items():
        text = f"{reason} ({'every row' if len(names) == count else ', '.join(names)})"
        lines += textwrap.wrap(text, 110, subsequent_indent="    ", break_on_hyphens=False)
    return lines
