# SPDX-License-Identifier: Apache-2.0
"""Leases live on while flows do: a pod with a flow comes back to its address, and no other."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from math import ceil
from pathlib import Path
from typing import Any

import pytest

import manifests
import reach
import zone
from daemon import Daemon, wait_until
from dnsclient import ask, node_local
from internet import ECHO_PORT, UDP_HOST4, UDP_HOST6
from lab import Lab, Pod
from pace import PACE
from proof import Proof
from test_revoke import PORT, RDTYPE, TCP, Flow

FAMILIES = (4, 6)
FLOOR_S, GRACE_S, CAP_S = (ceil(n * PACE) for n in (1, 2, 4))
END_S = CAP_S + 1 + 0.5 * PACE  # of a lease that nothing renews, surely
TCP_NAME, UDP_NAME = "google.com", "udp.example"
TCP_AT = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
UDP_AT = {4: UDP_HOST4, 6: UDP_HOST6}
ENTRIES = [
    manifests.service_entry(TCP_NAME, ports=[(PORT, "TCP")]),
    manifests.service_entry(UDP_NAME, ports=[(ECHO_PORT, "UDP")], resolution="STATIC",
                            endpoints=[{"address": a} for a in UDP_AT.values()]),
]


def config(flows: str = "1h", **more: Any) -> dict[str, Any]:
    return {"lease": {"floor": f"{FLOOR_S}s", "grace": f"{GRACE_S}s", "cap": f"{CAP_S}s",
                      "flows": flows}, **more}


class Echo:
    """A flow of datagrams to the lab's echo."""

    def __init__(self, pod: Pod, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = pod.namespace.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(3)
        self._socket.connect((address, ECHO_PORT))
        assert self.answers()

    def answers(self) -> bool:
        self._socket.send(b"ping")
        return self._socket.recv(16) == b"ping"

    def close(self) -> None:
        self._socket.close()


def look_up(pod: Pod) -> float:
    """Both names over both families; when their leases have surely ended, unless renewed."""
    for family in FAMILIES:
        for name, at in ((TCP_NAME, TCP_AT), (UDP_NAME, UDP_AT)):
            reply = ask(pod.namespace, name, RDTYPE[family], server=node_local(family))
            assert reply.addresses() == [at[family]]
    return time.monotonic() + END_S


class Flows:
    """One of TCP and one of UDP over each family."""

    def __init__(self, lab: Lab, pod: Pod) -> None:
        self._flows: list[Flow | Echo] = [Flow(lab, pod, TCP_AT[f], TCP) for f in FAMILIES]
        self._flows += [Echo(pod, UDP_AT[f]) for f in FAMILIES]

    def answer(self) -> bool:
        return all(flow.answers() for flow in self._flows)

    def close(self) -> None:
        for flow in self._flows:
            flow.close()


def attempts(pod: Pod) -> Iterator[reach.Attempt]:
    for family in FAMILIES:
        yield reach.connect(pod.namespace, TCP_AT[family], PORT)
        yield reach.datagram(pod.namespace, UDP_AT[family], ECHO_PORT)


def gets_through(pod: Pod) -> bool:
    tried = list(attempts(pod))
    assert all(a.result == "ok" for a in tried) or all(a.refused_at_once for a in tried), tried
    return tried[0].result == "ok"


def pass_time(until: float, flows: Sequence[Flows] = ()) -> None:
    """What lives is used meanwhile."""
    while (left := until - time.monotonic()) > 0:
        assert all(f.answer() for f in flows)
        time.sleep(min(left, 0.5))


def wait_for_no_lease(daemon: Daemon) -> None:
    wait_until(lambda: not daemon.leases(), END_S + 2, "the leases end")


@pytest.fixture
def proof(installed: Daemon, lab: Lab, judge: Path) -> Iterator[Proof]:
    """Begins while there is no table."""
    made = Proof(lab, judge)
    yield made
    made.close()


def start(daemon: Daemon, **settings: Any) -> None:
    daemon.configure(config(**settings))
    daemon.register(*ENTRIES)
    daemon.start()


def test_who_has_a_flow_comes_back_and_nobody_else(installed: Daemon, lab: Lab, pod: Pod,
                                                   other_pod: Pod, proof: Proof) -> None:
    start(installed)
    look_up(other_pod)  # and opens nothing
    end = look_up(pod)
    with closing(Flows(lab, pod)) as flows:
        pass_time(end, [flows])
        assert gets_through(pod)
        assert not gets_through(other_pod)
        pass_time(time.monotonic() + END_S, [flows])
        assert gets_through(pod)
    status = installed.status()
    assert status["renewals"] >= 8 and status["renewals_asked"] >= status["renewals"]
    assert status["renewals_failed"] == status["renewals_left"] == 0
    seen = proof.end()
    proof.nothing_found()
    assert seen.renewed >= 8


def test_it_ends_after_the_last_flow(installed: Daemon, lab: Lab, pod: Pod) -> None:
    start(installed)
    assert ask(pod.namespace, TCP_NAME).addresses() == [TCP_AT[4]]
    end = time.monotonic() + END_S
    with closing(Flow(lab, pod, TCP_AT[4], TCP)) as flow:
        pass_time(end)
        assert flow.answers()
        assert [lease.destination for lease in installed.leases()] == [TCP_AT[4]]
    wait_for_no_lease(installed)
    assert reach.connect(pod.namespace, TCP_AT[4], PORT).refused_at_once


def test_a_name_that_has_gone_renews_nothing(installed: Daemon, lab: Lab, pod: Pod) -> None:
    """The flows live on, as the configuration asks."""
    start(installed, revoke="leases")
    end = look_up(pod)
    with closing(Flows(lab, pod)) as flows:
        pass_time(end, [flows])
        assert gets_through(pod)
        installed.load()
        assert not gets_through(pod)
        assert installed.leases() == []
        renewals = installed.counter("renewals")
        pass_time(time.monotonic() + END_S, [flows])
        assert not gets_through(pod)
        assert installed.counter("renewals") == renewals


def test_it_ends_with_the_hard_maximum(installed: Daemon, lab: Lab, pod: Pod) -> None:
    flows_s = ceil(4 * PACE)
    start(installed, flows=f"{flows_s}s")
    end = look_up(pod)
    with closing(Flows(lab, pod)) as flows:
        pass_time(end, [flows])
        assert gets_through(pod)
        pass_time(end + flows_s, [flows])
        assert installed.leases() == []
        assert not gets_through(pod)
        assert flows.answer()
        look_up(pod)  # and it is counted anew
        assert gets_through(pod)


def test_it_can_be_left(installed: Daemon, lab: Lab, pod: Pod) -> None:
    start(installed, flows="0s")
    end = look_up(pod)
    with closing(Flows(lab, pod)) as flows:
        pass_time(end, [flows])
        assert not gets_through(pod)
        assert installed.counter("renewals_asked") == 0


def test_it_goes_on_after_a_crash(installed: Daemon, lab: Lab, pod: Pod, other_pod: Pod,
                                  proof: Proof) -> None:
    start(installed)
    end = look_up(pod)
    look_up(other_pod)
    with closing(Flows(lab, pod)) as flows:
        pass_time(end, [flows])
        installed.kill()
        assert gets_through(pod)  # without anybody
        installed.start()
        pass_time(time.monotonic() + END_S, [flows])
        assert gets_through(pod)
        assert not gets_through(other_pod)
        assert installed.counter("renewals") >= 4
    proof.end()
    proof.nothing_found()
