# SPDX-License-Identifier: Apache-2.0
"""Another egressd finds the table: of an earlier layout, of a later one, of its own."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import manifests
import nft
import reach
import zone
from daemon import Daemon
from dnsclient import ask
from lab import Lab, Pod
from leak import Leak
from test_revoke import TCP, Flow, look_up

UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
LATER_TABLE = 3  # the exit status
START_S = 20


def version(lab: Lab) -> int:
    """The table's comment, which nft's JSON leaves out."""
    listed = lab.node.run("nft", "-t", "list", "table", *nft.TABLE, check=True).stdout
    found = re.search(r'comment "egressd (\d+)"', listed)
    assert found, listed
    return int(found[1])


def keys(daemon: Daemon) -> dict[tuple[str, str, str, int, str], int]:
    return {(e.pod, e.destination, e.proto, e.port, e.name): e.expires_s
            for e in daemon.leases()}


@pytest.fixture
def later(installed: Daemon, pytestconfig: pytest.Config) -> Iterator[Path]:
    """The build whose table has a later layout; the daemon runs the present one again after."""
    program = Path(pytestconfig.getoption("--egressd-next")).resolve()
    assert program.exists(), f"{program} is not there: run make next"
    present = installed.egressd
    yield program
    installed.kill()
    installed.egressd = present


class Connector:
    """A pod that opens one connection after the other."""

    def __init__(self, pod: Pod, address: str) -> None:
        self._pod, self._address = pod, address
        self._ended = threading.Event()
        self.results: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.results.append(reach.connect(self._pod.namespace, self._address, 443).result)

    def end(self) -> list[str]:
        self._ended.set()
        self._thread.join()
        return self.results


def test_leases_and_flows_live_through_an_upgrade(daemon: Daemon, lab: Lab, pod: Pod, later: Path,
                                                  family: int) -> None:
    """One transaction: at no moment is a listed host refused, nor an unlisted one reached."""
    entry = manifests.service_entry("google.com", ports=[(443, "HTTPS"), (9999, "TCP")])
    daemon.load(entry, manifests.service_entry("four.example.com"))
    address = look_up(pod, family)
    ask(pod.namespace, "four.example.com")
    before, was = keys(daemon), version(lab)
    assert len(before) == 3
    with closing(Flow(lab, pod, address, TCP)) as flow:
        leak = Leak(lab, pod, UNLISTED[family])
        connector = Connector(pod, address)
        try:
            daemon.stop()
            daemon.egressd = later
            daemon.start()
            assert version(lab) == was + 1
            assert flow.answers()
            done = len(connector.results)
            while len(connector.results) < done + 20:
                time.sleep(0)
        finally:
            results = connector.end()
            leak.end()
        assert set(results) == {"ok"}
        assert leak.sent > 0 and leak.seen == []
        assert flow.answers()
    after = keys(daemon)
    assert after.keys() == before.keys()
    assert all(0 < after[k] <= before[k] for k in before)
    assert not [r for r in daemon.log.since(0) if r["event"] == "table_lost"]
    # and they are the daemon's own: a reload withdraws them
    daemon.load(manifests.service_entry("four.example.com"))
    assert [k for k in keys(daemon) if k[4] == "google.com"] == []
    assert reach.connect(pod.namespace, address, 443).refused_at_once


def test_an_upgrade_judges_anew(daemon: Daemon, lab: Lab, pod: Pod, later: Path,
                                family: int) -> None:
    """What the registry lost meanwhile does not come over; what it gained does."""
    daemon.load(manifests.service_entry("google.com"), manifests.service_entry("four.example.com"))
    address = look_up(pod, family)
    ask(pod.namespace, "four.example.com")
    daemon.stop()
    daemon.egressd = later
    daemon.register(manifests.service_entry("google.com", ports=[(443, "HTTPS"), (80, "HTTP")]))
    daemon.start()
    assert sorted(k[1:] for k in keys(daemon)) == [
        (address, "tcp", 80, "google.com"), (address, "tcp", 443, "google.com")]


@pytest.mark.parametrize("killed", ["loop", "enforcer"])
def test_an_upgrade_after_a_crash(daemon: Daemon, lab: Lab, pod: Pod, later: Path,
                                  killed: str) -> None:
    daemon.load(manifests.service_entry("google.com"))
    ask(pod.namespace, "google.com")
    before = keys(daemon)
    lab.node.run("kill", "-9", str(daemon.pid if killed == "loop" else daemon.enforcer_pid),
                 check=True)
    daemon.wait()
    daemon.egressd = later
    daemon.start()
    assert keys(daemon).keys() == before.keys()
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"


def test_a_later_layout_is_refused_and_left_alone(installed: Daemon, lab: Lab, pod: Pod,
                                                  later: Path) -> None:
    present = installed.egressd
    installed.egressd = later
    installed.register(manifests.service_entry("google.com"))
    installed.start()
    ask(pod.namespace, "google.com")
    installed.stop()
    before, was = keys(installed), version(lab)
    rules = lab.node.run("nft", "-s", "list", "table", *nft.TABLE, check=True).stdout
    installed.egressd = present
    for _ in range(2):
        installed.spawn()
        assert installed.wait(START_S) == LATER_TABLE
        said = installed.log.wait_for(lambda r: r["event"] == "fault")
        assert "later layout" in said["message"] and "egressctl teardown" in said["message"]
    assert version(lab) == was and keys(installed).keys() == before.keys()
    assert lab.node.run("nft", "-s", "list", "table", *nft.TABLE, check=True).stdout == rules
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"
    assert reach.connect(pod.namespace, zone.UNLISTED4, 443).refused_at_once
    # the remedies that it names
    installed.egressd = later
    installed.start()
    assert keys(installed).keys() == before.keys()
    installed.stop()
    assert installed.ctl("teardown").returncode == 0
    installed.egressd = present
    installed.start()
    assert version(lab) == was - 1
