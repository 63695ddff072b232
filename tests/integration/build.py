# SPDX-License-Identifier: Apache-2.0
"""Where the programs under test lie: each by its own variable, or all in EGRESSD_BUILD."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def program(variable: str) -> str:
    """EGRESSD, EGRESSCTL, EGRESSD_EARLY: the build that answers before the commit, or
    EGRESSD_NEXT: the build whose table has a later layout. EGRESSD_WITNESS: tests/witness."""
    folder = os.environ.get("EGRESSD_BUILD", str(ROOT / "build"))
    places = {"EGRESSD": f"{folder}/egressd", "EGRESSCTL": f"{folder}/egressctl",
              "EGRESSD_EARLY": f"{folder}-early/egressd",
              "EGRESSD_NEXT": f"{folder}-next/egressd",
              "EGRESSD_WITNESS": f"{folder}/tests/witness/witness"}
    return os.environ.get(variable, places[variable])
