# SPDX-License-Identifier: Apache-2.0
"""Pods under REGISTRY_ONLY and pods under ALLOW_ANY on one node."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing
from typing import Any

import pytest

import manifests
import reach
import zone
from daemon import Daemon, is_event, wait_until
from dnsclient import ask, make_query, node_local, open_udp
from lab import Lab, Pod
from test_pods import status, unanswered
from test_revoke import TCP, Flow, reload_that_cuts
from witness import Witness, to

RDTYPE = {4: "A", 6: "AAAA"}
GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
PUBLIC = {4: zone.PUBLIC4, 6: zone.PUBLIC6}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
BY_FAMILY = {4: "four.example.com", 6: "six.example.com"}
# Each namespace has an entry of its own that the other one does not see.
OURS = manifests.service_entry("google.com", namespace="strict", exportTo=["."])
THEIRS = [manifests.service_entry(name, namespace="free", exportTo=["."])
          for name in BY_FAMILY.values()]


def sidecar(namespace: str, mode: str | None = None, hosts: list[str] | None = None,
            **selector: str) -> manifests.Manifest:
    spec: dict[str, Any] = {}
    if mode is not None:
        spec["outboundTrafficPolicy"] = {"mode": mode}
    if hosts is not None:
        spec["egress"] = [{"hosts": hosts}]
    if selector:
        spec["workloadSelector"] = {"labels": selector}
    return {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
            "metadata": {"name": "default", "namespace": namespace}, "spec": spec}


def here(pod: Pod, namespace: str) -> manifests.Manifest:
    return manifests.pod("app", [pod.v4, pod.v6], namespace)


def rcode(pod: Pod, family: int, name: str) -> str:
    return ask(pod.namespace, name, RDTYPE[family], server=node_local(family)).rcode


def look_up(pod: Pod, family: int, name: str) -> list[str]:
    return ask(pod.namespace, name, RDTYPE[family], server=node_local(family)).addresses()


def open_pods(daemon: Daemon) -> set[str]:
    """As the kernel has them."""
    found = set()
    for name in ("open4", "open6"):
        listed = daemon.lab.node.run("nft", "-j", "list", "set", "inet", "egressd", name,
                                     check=True)
        for item in json.loads(listed.stdout)["nftables"]:
            found |= set(item.get("set", {}).get("elem", []))
    return found


@pytest.fixture(params=["one pod's", "all others'"])
def load(request: pytest.FixtureRequest, daemon: Daemon, pod: Pod, other_pod: Pod) -> Any:
    """Pod is strict and other_pod free: by a Sidecar of the one, or of the other."""
    free_by_sidecar = request.param == "one pod's"

    def do(*more: manifests.Manifest) -> None:
        pods = [here(pod, "strict"), here(other_pod, "free")]
        if free_by_sidecar:
            daemon.load(*pods, sidecar("free", "ALLOW_ANY"), *more)
        else:
            daemon.load(*pods, sidecar("strict", "REGISTRY_ONLY"), *more, mode="ALLOW_ANY")

    return do


def test_each_pod_has_its_own_mode(daemon: Daemon, load: Any, pod: Pod, other_pod: Pod,
                                   family: int, witness: Witness) -> None:
    load(OURS, *THEIRS)
    assert open_pods(daemon) == {other_pod.v4, other_pod.v6}
    mark = witness.mark()
    assert rcode(pod, family, "www.google.com") == "NXDOMAIN"
    assert rcode(pod, family, BY_FAMILY[family]) == "NXDOMAIN", "the other namespace's"
    assert reach.connect(pod.namespace, UNLISTED[family], 443).refused_at_once
    assert reach.connect(pod.namespace, GOOGLE[family], 443).refused_at_once
    witness.only(mark)
    assert look_up(pod, family, "google.com") == [GOOGLE[family]]
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    assert reach.connect(pod.namespace, GOOGLE[family], 80).refused_at_once
    assert look_up(other_pod, family, "www.google.com")
    for address in (UNLISTED[family], GOOGLE[family], PUBLIC[family]):
        assert reach.connect(other_pod.namespace, address, 80).result == "ok", "no lookup"
    assert {e.pod for e in daemon.leases()} == {pod.address(family)}
    strict = pod.address(family)
    witness.only(mark, to([GOOGLE[family]], 443), lambda p: p.src != strict)


def test_dns_of_the_open_pod_still_comes_here(daemon: Daemon, load: Any, other_pod: Pod,
                                              lab: Lab, family: int, witness: Witness) -> None:
    load()
    server = next(a for a in lab.internet.dns_addresses if (":" in a) == (family == 6))
    before = status(daemon)["queries"]
    mark = witness.mark()
    assert ask(other_pod.namespace, "google.com", RDTYPE[family],
               server=server).addresses() == [GOOGLE[family]]
    assert status(daemon)["queries"] == before + 1
    witness.only(mark)


def test_a_spoofed_source_is_not_open(daemon: Daemon, load: Any, pod: Pod, other_pod: Pod,
                                      witness: Witness) -> None:
    """A veth pair a pod: the open pod's address does not come from another one's."""
    load()
    pod.namespace.ip(f"addr add {other_pod.v4}/32 dev eth0\n")
    try:
        mark = witness.mark()
        with pod.namespace.socket(2, 2) as s:
            s.bind((other_pod.v4, 0))
            s.sendto(b"x", (UNLISTED[4], 443))
        witness.only(mark)
    finally:
        pod.namespace.ip(f"addr del {other_pod.v4}/32 dev eth0\n")


def test_a_sidecar_sees_what_it_imports(daemon: Daemon, pod: Pod, family: int,
                                        witness: Witness) -> None:
    public = manifests.service_entry("google.com", namespace="other")
    daemon.load(here(pod, "strict"), public, sidecar("strict", hosts=["other/*"]))
    assert look_up(pod, family, "google.com")
    daemon.load(here(pod, "strict"), public, sidecar("strict", hosts=["./*"]))
    assert daemon.leases() == []
    mark = witness.mark()
    assert rcode(pod, family, "google.com") == "NXDOMAIN"
    assert reach.connect(pod.namespace, GOOGLE[family], 443).refused_at_once
    witness.only(mark)


def test_the_mode_of_one_pod_switches_both_ways(daemon: Daemon, lab: Lab, pod: Pod,
                                                other_pod: Pod, family: int) -> None:
    pods = [here(pod, "strict"), here(other_pod, "free")]
    for _ in range(2):
        daemon.load(*pods, OURS, sidecar("free", "ALLOW_ANY"))
        look_up(pod, family, "google.com")
        assert look_up(other_pod, family, "www.google.com")
        with closing(Flow(lab, other_pod, PUBLIC[family], TCP)) as flow:
            reload_that_cuts(daemon, *pods, OURS, sidecar("free", "REGISTRY_ONLY"))
            assert flow.is_cut()
        assert open_pods(daemon) == set()
        assert rcode(other_pod, family, "www.google.com") == "NXDOMAIN"
        assert reach.connect(other_pod.namespace, UNLISTED[family], 443).refused_at_once
        assert daemon.leased(pod.address(family), [GOOGLE[family]], 443)
        assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"


def test_no_answer_before_the_kernel_has_opened_the_pod(daemon: Daemon, pod: Pod,
                                                        other_pod: Pod, family: int) -> None:
    """ALLOW_ANY takes no lease: until the switch has been made the old registry has the word
    for the pod that opens, and the new one already for the pod that closes."""
    pods = [here(pod, "strict"), here(other_pod, "free")]
    daemon.configure({"deadline": {"commit": "10s", "query": "10s"}})
    daemon.load(*pods, OURS, *THEIRS, sidecar("strict", "ALLOW_ANY"))
    daemon.register(*pods, OURS, *THEIRS, sidecar("free", "ALLOW_ANY"))
    os.kill(daemon.enforcer_pid, signal.SIGSTOP)
    mark = daemon.log.mark()
    try:
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: status(daemon)["table"] == "changing", 5, "the switch")
        assert rcode(other_pod, family, "www.google.com") == "NXDOMAIN"
        assert rcode(pod, family, "www.google.com") == "NXDOMAIN"
        with open_udp(other_pod.namespace, node_local(family)) as s:
            s.send(make_query(BY_FAMILY[family], RDTYPE[family]).to_wire())
            wait_until(lambda: status(daemon)["commits_waiting"] == 1, 5, "a commit")
            assert unanswered(s)
    finally:
        os.kill(daemon.enforcer_pid, signal.SIGCONT)
    daemon.log.wait_for(is_event("reloaded"), since=mark)
    assert look_up(other_pod, family, "www.google.com")
    assert reach.connect(other_pod.namespace, UNLISTED[family], 443).result == "ok"
