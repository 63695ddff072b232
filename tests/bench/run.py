#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark: a table or two for each topic, and at the end what was kept of the budgets.

    /usr/bin/python3 tests/bench/run.py [--check] [--rounds N] [TOPIC...]

    queries   CPU for each query, beside other servers (queries.py)
    registry  load time, memory, and the time of a decision (registry.py)
    flood     what one pod's flood does to another's lookups (flood.py)
    reload    how long one takes, and the longest wait of a lookup meanwhile (reload.py)
    kernel    commits, leases, and the packets they let pass (kernel.py)

Without a topic all of them run. All but registry need root. --check: exit 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests/integration")]
sys.dont_write_bytecode = True

import budget  # noqa: E402
import flood  # noqa: E402
import kernel  # noqa: E402
import queries  # noqa: E402
import registry  # noqa: E402
import reload  # noqa: E402

TOPICS = ("queries", "flood", "registry", "reload", "kernel")


def measure(topic: str, args: argparse.Namespace, folder: Path) -> list[budget.Line]:
    if topic == "flood":
        return flood.measure(args.egressd, folder)
    if topic == "queries":
        return queries.measure(args.egressd, args.rounds, folder)
    if topic == "reload":
        return reload.measure(args.egressd, args.registry, folder)
    if topic == "kernel":
        return kernel.measure(args.egressd, args.commit, folder)
    return registry.measure(args.registry, folder)


def main() -> int:
    parser = argparse.ArgumentParser(description="egressd's benchmark")
    parser.add_argument("topics", metavar="TOPIC", nargs="*", help=", ".join(TOPICS))
    parser.add_argument("--egressd", type=Path,
                        default=Path(os.environ.get("EGRESSD", ROOT / "build/egressd")))
    parser.add_argument("--registry", type=Path, help="the program of registry.c",
                        default=Path(os.environ.get("EGRESSD_BENCH_REGISTRY",
                                                    ROOT / "build/tests/bench/registry")))
    parser.add_argument("--commit", type=Path, help="the program of commit.c",
                        default=Path(os.environ.get("EGRESSD_BENCH_COMMIT",
                                                    ROOT / "build/tests/bench/commit")))
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 11),
                        help="of queries")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is missed")
    args = parser.parse_args()
    for topic in args.topics:
        if topic not in TOPICS:
            parser.error(f"no topic {topic}: {', '.join(TOPICS)}")
    lines = []
    with tempfile.TemporaryDirectory(prefix="egressd-bench-") as name:
        for topic in args.topics or TOPICS:
            lines += measure(topic, args, Path(name))
            sys.stdout.flush()
    print(budget.summary(lines))
    return 0 if all(line.kept for line in lines) or not args.check else 1


if __name__ == "__main__":
    sys.exit(main())
