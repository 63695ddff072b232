# SPDX-License-Identifier: Apache-2.0
"""The registry: load time, memory and the time of a decision, at four sizes.

The work is done by registry.c, on the archives that the daemon is made of; its entries
are those of sample.h. Times are CPU, since other programs may run beside, and the least of
some rounds; a ratio is the median of each round's own. "in memory" is text to registry;
"files" the daemon's own loader on a folder with a file for each entry, which the kernel
has in its cache; "again" the same over what it loaded before. "registry" is what the
daemon has then, packed trees included.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

from budget import Line

SIZES = (10, 1_000, 10_000, 100_000)
ROUNDS = {10: 30, 1_000: 10, 10_000: 5, 100_000: 1}
JUDGE_ROUNDS = 40
KINDS = {"exact": "a registered host", "wildcard": "below a wildcard",
         "unknown": "not registered", "hidden": "not exported", "parent": "above a host"}
RATIO_BUDGET = 1.05
ENTRY_BUDGET_BYTES = 1024
Row = dict[str, Any]


def run(program: Path, *arguments: object) -> list[Row]:
    done = subprocess.run([str(program), *map(str, arguments)], check=True, text=True,
                          stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def write_entries(program: Path, folder: Path, count: int, generation: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    run(program, "write", folder, count, generation)


def measure_loads(program: Path, folder: Path) -> list[tuple[Row, Row]]:
    rows = []
    for size in SIZES:
        entries = folder / f"entries-{size}"
        write_entries(program, entries, size)
        rows.append((run(program, "build", size, ROUNDS[size])[0],
                     run(program, "load", entries, ROUNDS[size])[0]))
    return rows


def print_loads(rows: list[tuple[Row, Row]]) -> None:
    print("registry: from manifests to a registry; CPU in ms, memory in KiB\n")
    heads = ("in memory", "us/entry", "files", "us/entry", "again", "us/entry", "free",
             "registry", "B/entry", "peak")
    print(f"  {'entries':>8}" + "".join(f"{head:>11}" for head in heads))
    for built, loaded in rows:
        n = built["entries"]
        cells = (built["cpu_ms"], built["cpu_ms"] * 1000 / n, loaded["cpu_ms"],
                 loaded["cpu_ms"] * 1000 / n, loaded["again_ms"],
                 loaded["again_ms"] * 1000 / n, built["free_ms"])
        print(f"  {n:>8,}" + "".join(f"{cell:>11,.2f}" for cell in cells)
              + f"{loaded['bytes'] // 1024:>11,}{loaded['bytes'] // n:>11,}"
              f"{loaded['peak_kib']:>11,}")
    print("\n  peak: what the process grew by during a load of the files, text included\n")


def ratios(rows: list[Row], names: str) -> dict[str, float]:
    """Of the largest registry to the smallest, by kind of name: each round's, the median."""
    ns = {(r["kind"], r["entries"]): r["ns"] for r in rows if r["names"] == names}
    return {kind: statistics.median(large / small for large, small in
                                    zip(ns[kind, SIZES[-1]], ns[kind, SIZES[0]]))
            for kind in KINDS}


def print_decisions(rows: list[Row]) -> None:
    titles = {"same": "the same names at every size: what the budget is for",
              "all": "names from all over the registry: what no processor cache holds, too"}
    print("registry: a decision, of a known pod, in ns of CPU\n")
    for names, title in titles.items():
        ratio = ratios(rows, names)
        print(f"  {title}")
        print(f"  {'':<20}" + "".join(f"{size:>10,}" for size in SIZES) + f"{'ratio':>8}")
        for kind, words in KINDS.items():
            cells = [min(r["ns"]) for r in rows if (r["names"], r["kind"]) == (names, kind)]
            print(f"  {words:<20}" + "".join(f"{cell:>10.1f}" for cell in cells)
                  + f"{ratio[kind]:>8.2f}")
        print(f"  {'all kinds':<60}{statistics.geometric_mean(ratio.values()):>8.2f}\n")


def measure(program: Path, folder: Path) -> list[Line]:
    loads = measure_loads(program, folder)
    print_loads(loads)
    decisions = run(program, "judge", JUDGE_ROUNDS, *SIZES)
    print_decisions(decisions)
    largest = loads[-1][1]
    ratio = statistics.geometric_mean(ratios(decisions, "same").values())
    return [Line("registry: a decision, 100,000 entries to 10", ratio, RATIO_BUDGET, "x"),
            Line("registry: memory an entry, of 100,000", largest["bytes"] / largest["entries"],
                 ENTRY_BUDGET_BYTES, "bytes")]
