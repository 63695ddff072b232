# SPDX-License-Identifier: Apache-2.0
"""A load from all pods on both families, of what is listed and of what is not (storm.c)."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

import zone
from dnsclient import node_local
from internet import SINK_PORT
from lab import Lab

SUFFIX = "burst.example.com"
OUTSIDE = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
END_DEADLINE_S = 10


class Storm:
    """Begins at once; end() tells what became of it."""

    def __init__(self, lab: Lab, program: str, names: int, rate: int, seed: int) -> None:
        """rate: of each pod and family, a second."""
        self._clients = [
            pod.namespace.start(program, node_local(family), str(family), str(SINK_PORT),
                                str(names), SUFFIX, OUTSIDE[family], str(rate),
                                str(seed * 1000 + number * 10 + family), stdout=subprocess.PIPE)
            for number, pod in enumerate(lab.pods) for family in (4, 6)]

    def end(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for client in self._clients:
            client.terminate()
        for client in self._clients:
            out, _ = client.communicate(timeout=END_DEADLINE_S)
            assert client.returncode == 0, f"a client ended with {client.returncode}"
            total.update(json.loads(out))
        self._clients = []
        return total

    def kill(self) -> None:
        for client in self._clients:
            client.kill()
            client.communicate()
