# SPDX-License-Identifier: Apache-2.0
"""Connections in the very moment in which the answer arrives: none may find the door shut."""

from __future__ import annotations

import subprocess

import pytest

import manifests
import reach
import zone
from conftest import Programs
from daemon import Daemon
from dnsclient import node_local
from internet import SINK_PORT
from lab import Lab
from witness import Witness, within

FAST = 20000
SLOW = 200000
EARLY = 20000
SUFFIX = "burst.example.com"
ENTRY = manifests.service_entry(f"*.{SUFFIX}", ports=[(SINK_PORT, "TCP")], resolution="NONE")
NETWORK = {4: zone.BURST4, 6: zone.BURST6}


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    """How many lookups the command line asks for; 0: the test's own number."""
    return request.config.getoption("--burst")


def burst(lab: Lab, program: str, family: int, lookups: int, *, shared: bool) -> reach.Tally:
    """A client in each pod, all at the same time; shared: all ask the same names.

    Names that nobody has asked before come from upstream, and all need a commit of their own.
    """
    share = lookups // len(lab.pods)
    processes = []
    for i, pod in enumerate(lab.pods):
        first = 0 if shared else i * share % zone.BURST_NAMES
        processes.append(pod.namespace.start(
            program, node_local(family), str(family), str(SINK_PORT), str(first),
            str(min(share, zone.BURST_NAMES - first)), SUFFIX, stdout=subprocess.PIPE))
    return reach.total([reach.read_tally(p) for p in processes])


def assert_none_lost(tally: reach.Tally) -> None:
    assert tally.refused == 0 and tally.lost == 0 and tally.connected > 0, tally


def rounds(lab: Lab, program: str, family: int, lookups: int) -> None:
    """Half from upstream, half from the cache for pods that have no lease yet."""
    assert_none_lost(burst(lab, program, family, lookups // 2, shared=False))
    assert_none_lost(burst(lab, program, family, lookups // 2, shared=True))


def test_no_connection_comes_too_early(daemon: Daemon, lab: Lab, programs: Programs, family: int,
                                       witness: Witness, count: int) -> None:
    daemon.load(ENTRY)
    mark = witness.mark()
    rounds(lab, programs.burst, family, (count or FAST) // 2)
    witness.only(mark, within(NETWORK[family], SINK_PORT))


@pytest.mark.slow
def test_no_connection_comes_too_early_in_the_long_run(installed: Daemon, lab: Lab, family: int,
                                                       programs: Programs, count: int) -> None:
    """Begins anew each time: the names are the same, leases and cache are gone."""
    each = zone.BURST_NAMES
    for _ in range(max(1, (count or SLOW) // 2 // each)):
        installed.clean()
        installed.register(ENTRY)
        installed.start()
        rounds(lab, programs.burst, family, each)


def test_this_would_notice(early: Daemon, lab: Lab, programs: Programs, family: int,
                           count: int) -> None:
    """The same against a daemon that answers before the kernel has acknowledged."""
    early.register(ENTRY)
    early.start()
    tally = burst(lab, programs.burst, family, (count or EARLY) // 2, shared=False)
    assert tally.refused > 0, tally
