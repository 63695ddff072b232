# SPDX-License-Identifier: Apache-2.0
"""How much longer everything may take here than on a real machine: an emulated one is slow."""

from __future__ import annotations

import os

PACE = float(os.environ.get("EGRESSD_PACE", "1"))
