# SPDX-License-Identifier: Apache-2.0
"""What a topic of the benchmark hands back: a line for each budget, and whether it is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    what: str
    measured: float
    budget: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        return self.measured <= self.budget

    def __str__(self) -> str:
        return (f"{self.what:<64}{figure(self.measured):>11}{figure(self.budget):>9} "
                f"{self.unit:<8}{'kept' if self.kept else 'MISSED'}")


def figure(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def summary(lines: list[Line]) -> str:
    missed = sum(not line.kept for line in lines)
    head = f"{'budget':<64}{'measured':>11}{'budget':>9}"
    end = f"{len(lines) - missed} of {len(lines)} budgets are kept"
    return "\n".join([head, *map(str, lines), end])
