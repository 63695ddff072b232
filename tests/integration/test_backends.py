# SPDX-License-Identifier: Apache-2.0
"""Addresses before endpoints that are names: they lead to what the names have at the time."""

from __future__ import annotations

from contextlib import closing

import pytest

import manifests
import reach
from daemon import Daemon, wait_until
from fake_upstream import FakeUpstream, Question, addresses, answer
from far import (BEHIND, INNER, ONE, PORT, THREE, TWO, VIP, Far, answers, endpoint, entry,
                 open_flow, reached, vip)
from lab import Lab, Pod

DEADLINE_S = 5
TTL_MIN_S = 5  # daemon/lease/backend.h


class Names:
    """What the names have, to be changed by a test."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.at: dict[str, int] = {}
        self.ttl = 300
        self.fails = False
        upstream.script = self._say

    def _say(self, q: Question) -> bytes:
        if self.fails:
            return answer(q, rcode="SERVFAIL")
        if q.name not in self.at:
            return answer(q, rcode="NXDOMAIN", soa=("example", 300, "a. b. 1 2 3 4 300"))
        return addresses(q, *(BEHIND[f][self.at[q.name]] for f in (4, 6)), ttl=self.ttl)


@pytest.fixture
def names(upstream: FakeUpstream) -> Names:
    return Names(upstream)


def named(*endpoints: dict[str, object], **spec: object) -> manifests.Manifest:
    return vip(*endpoints, resolution="DNS", **spec)


def led(pod: Pod, far: Far, family: int) -> str | None:
    """Where the address leads; None: nowhere."""
    if reach.connect(pod.namespace, VIP[family], PORT).result != "ok":
        return None
    far.accept()[0].close()
    return reached(pod, far, VIP[family])


def wait_led(pod: Pod, far: Far, family: int, to: int, deadline_s: float = DEADLINE_S) -> None:
    wait_until(lambda: led(pod, far, family) == BEHIND[family][to], deadline_s,
               "the address leads to what the name has")


def test_an_address_leads_to_what_a_name_has(daemon: Daemon, names: Names, pod: Pod,
                                             far: Far, family: int) -> None:
    names.at = {"one.example": ONE}
    daemon.load(named(endpoint("one.example", INNER)))
    wait_led(pod, far, family, ONE)
    for port in (PORT, INNER):  # nothing but the entry's address is open
        assert reach.connect(pod.namespace, BEHIND[family][ONE], port).refused_at_once
    assert reach.connect(pod.namespace, VIP[family], INNER).refused_at_once
    explained = daemon.ctl("explain", f"{pod.address(family)}", f"{VIP[family]}").stdout
    assert f"one.example:{INNER} (weight 1)" in explained


def test_without_endpoints_it_leads_to_the_host(daemon: Daemon, names: Names, pod: Pod,
                                                far: Far, family: int) -> None:
    names.at = {"vip.example": TWO}
    daemon.load(entry("vip.example", addresses=list(VIP.values()), target=INNER))
    wait_led(pod, far, family, TWO)


def test_names_and_addresses_side_by_side(daemon: Daemon, names: Names, pod: Pod, far: Far,
                                          family: int) -> None:
    names.at = {"one.example": ONE, "two.example": TWO}
    daemon.load(named(endpoint("one.example", INNER), endpoint("two.example", INNER),
                      *(endpoint(BEHIND[f][THREE], INNER) for f in (4, 6))))
    wait_led(pod, far, family, ONE)
    seen = {reached(pod, far, VIP[family]) for _ in range(100)}  # each is left out by (2/3)^100
    assert seen == set(BEHIND[family])


def test_a_name_that_changes_takes_new_connections_along(
        daemon: Daemon, names: Names, pod: Pod, far: Far, family: int) -> None:
    names.at, names.ttl = {"one.example": ONE}, 1
    daemon.load(named(endpoint("one.example", INNER)))
    wait_led(pod, far, family, ONE)
    with open_flow(pod, VIP[family]) as near:
        end, _ = far.accept()
        with closing(end):
            names.at = {"one.example": TWO}
            wait_led(pod, far, family, TWO, TTL_MIN_S + DEADLINE_S)
            assert answers(near, end), "a flow keeps its endpoint"


def test_a_name_that_fails_keeps_what_it_had(daemon: Daemon, names: Names, pod: Pod, far: Far,
                                             family: int) -> None:
    names.at, names.ttl = {"one.example": ONE}, 1
    daemon.load(named(endpoint("one.example", INNER)))
    wait_led(pod, far, family, ONE)
    names.fails = True
    wait_until(lambda: daemon.counter("endpoint_names_failing") == 1, TTL_MIN_S + DEADLINE_S,
               "the name fails")
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]


def test_a_name_without_an_address_leads_nowhere(daemon: Daemon, names: Names, pod: Pod,
                                                 family: int) -> None:
    daemon.load(named(endpoint("gone.example", INNER)))
    wait_until(lambda: daemon.counter("endpoint_names_unheard") == 0, DEADLINE_S, "an answer")
    assert daemon.counter("endpoint_names") == 1
    assert reach.connect(pod.namespace, VIP[family], PORT).refused_at_once


def test_a_name_does_not_lead_inside(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                     family: int) -> None:
    """As little as an answer to a lookup."""
    upstream.script = lambda q: addresses(q, "10.0.0.9", "fd00:9::9")
    daemon.load(named(endpoint("in.example", INNER), location="MESH_EXTERNAL"))
    wait_until(lambda: daemon.counter("endpoint_names_unheard") == 0, DEADLINE_S, "an answer")
    assert reach.connect(pod.namespace, VIP[family], PORT).refused_at_once


def test_a_reload_keeps_what_is_known(daemon: Daemon, names: Names, pod: Pod, far: Far,
                                      family: int) -> None:
    names.at = {"one.example": ONE, "two.example": TWO}
    daemon.load(named(endpoint("one.example", INNER)))
    wait_led(pod, far, family, ONE)
    names.fails = True
    daemon.load(named(endpoint("one.example", INNER)), entry("more.example"))
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
    names.fails = False
    daemon.load(named(endpoint("two.example", INNER)))
    wait_led(pod, far, family, TWO)
    daemon.load()
    assert reach.connect(pod.namespace, VIP[family], PORT).refused_at_once


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_the_next_daemon_leads_on(daemon: Daemon, names: Names, pod: Pod, far: Far, family: int,
                                  how: str) -> None:
    """From the moment in which it is ready."""
    names.at = {"one.example": ONE}
    daemon.load(named(endpoint("one.example", INNER)))
    wait_led(pod, far, family, ONE)
    if how == "restart":
        daemon.stop()
    else:
        daemon.kill()
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
    daemon.start()
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]


def test_a_lost_table_leads_again(daemon: Daemon, names: Names, lab: Lab, pod: Pod, far: Far,
                                  family: int) -> None:
    names.at = {"one.example": ONE}
    daemon.load(named(endpoint("one.example", INNER)))
    wait_led(pod, far, family, ONE)
    daemon.kill()
    lab.node.run("nft", "flush", "ruleset", check=True)
    daemon.start()
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
