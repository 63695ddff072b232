# SPDX-License-Identifier: Apache-2.0
"""Where the programs under test lie: each by its own variable, or all in EGRESSD_BUILD."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def program(variable: str) -> str:
    """EGRESSD, EGRESSCTL, or EGRESSD_EARLY: the build that answers before the commit."""
    folder = os.environ.get("EGRESSD_BUILD", str(ROOT / "build"))
    places = {"EGRESSD": f"{folder}/egressd", "EGRESSCTL": f"{folder}/egressctl",
              "EGRESSD_EARLY": f"{folder}-early/egressd"}
    return os.environ.get(variable, places[variable])
