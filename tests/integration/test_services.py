# SPDX-License-Identifier: Apache-2.0
"""Kubernetes Services and selected workloads, answered from manifests or asked in a zone."""

from __future__ import annotations

import manifests
import reach
import zone
from daemon import Daemon
from dnsclient import ask, node_local
from fake_upstream import FakeUpstream, answer
from internet import FAKE4
from lab import Lab, Pod

RDTYPE = {4: "A", 6: "AAAA"}
GOOD = {4: zone.PUBLIC4, 6: zone.PUBLIC6}
OTHER = {4: zone.EDGE4, 6: zone.EDGE6}
DOMAIN = "svc.cluster.local"


def pods(pod: Pod, other: Pod) -> list[manifests.Manifest]:
    """One in each of two namespaces."""
    return [manifests.pod("one", [pod.v4, pod.v6], "default"),
            manifests.pod("two", [other.v4, other.v6], "shop")]


def services() -> list[manifests.Manifest]:
    cluster_ips = {"clusterIP": GOOD[4], "clusterIPs": [GOOD[4], GOOD[6]]}
    return [manifests.service("web", **cluster_ips),
            manifests.service("private", "shop", export_to=".", **cluster_ips),
            manifests.service("db", clusterIP="None"),
            *(manifests.endpoint_slice("db", f, [
                {"addresses": [OTHER[f]], "hostname": "db-0"},
                {"addresses": [GOOD[f]], "conditions": {"ready": False}}]) for f in (4, 6))]


def look_up(pod: Pod, family: int, name: str) -> tuple[str, list[str]]:
    reply = ask(pod.namespace, name, RDTYPE[family], server=node_local(family))
    return reply.rcode, reply.addresses()


def test_a_cluster_ip_is_answered_and_opened(daemon: Daemon, pod: Pod, other_pod: Pod,
                                             family: int) -> None:
    daemon.load(*pods(pod, other_pod), *services())
    assert not reach.connect(pod.namespace, GOOD[family], 443).result == "ok"
    assert look_up(pod, family, f"web.default.{DOMAIN}") == ("NOERROR", [GOOD[family]])
    assert reach.connect(pod.namespace, GOOD[family], 443).result == "ok"
    assert reach.connect(pod.namespace, GOOD[family], 80).refused_at_once, "not a port of it"
    assert reach.connect(other_pod.namespace, GOOD[family], 443).refused_at_once, "its own lookup"
    assert {e.name for e in daemon.leases()} == {f"web.default.{DOMAIN}"}


def test_a_headless_service_has_its_ready_endpoints(daemon: Daemon, pod: Pod, other_pod: Pod,
                                                    family: int) -> None:
    daemon.load(*pods(pod, other_pod), *services())
    for name in (f"db.default.{DOMAIN}", f"db-0.db.default.{DOMAIN}"):
        assert look_up(pod, family, name) == ("NOERROR", [OTHER[family]])
    assert reach.connect(pod.namespace, OTHER[family], 443).result == "ok"
    assert look_up(pod, family, f"db-1.db.default.{DOMAIN}") == ("NXDOMAIN", [])


def test_an_external_name_is_asked_in_its_stead(daemon: Daemon, pod: Pod, other_pod: Pod,
                                                family: int) -> None:
    google = {4: zone.GOOGLE4, 6: zone.GOOGLE6}[family]
    daemon.load(*pods(pod, other_pod),
                manifests.service("out", type="ExternalName", externalName="google.com"))
    assert look_up(pod, family, f"out.default.{DOMAIN}") == ("NOERROR", [google])
    assert reach.connect(pod.namespace, google, 443).result == "ok"
    assert look_up(pod, family, "google.com") == ("NXDOMAIN", []), "it is not listed itself"


def test_a_private_service_is_its_own_namespaces(daemon: Daemon, pod: Pod, other_pod: Pod,
                                                 family: int) -> None:
    daemon.load(*pods(pod, other_pod), *services())
    name = f"private.shop.{DOMAIN}"
    assert look_up(pod, family, name) == ("NXDOMAIN", [])
    assert daemon.leases() == []
    assert look_up(other_pod, family, name) == ("NOERROR", [GOOD[family]])
    assert reach.connect(other_pod.namespace, GOOD[family], 443).result == "ok"


def test_in_a_zone_a_service_is_asked_there(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                            other_pod: Pod, family: int) -> None:
    """The zone's answer counts, not the manifest's; and only for those who see the Service."""
    daemon.configure({"zones": [{"name": "cluster.local", "upstreams": [f"{FAKE4}:53"]}]})
    upstream.script = lambda q: answer(q, f"@ {q.type} {OTHER[family]}")
    daemon.load(*pods(pod, other_pod), *services())
    assert look_up(pod, family, f"web.default.{DOMAIN}") == ("NOERROR", [OTHER[family]])
    assert reach.connect(pod.namespace, OTHER[family], 443).result == "ok"
    private = f"private.shop.{DOMAIN}"
    for name in (private, f"x.{private}"):
        assert look_up(pod, family, name) == ("NXDOMAIN", [])
        assert look_up(other_pod, family, name) == ("NOERROR", [OTHER[family]])
    unheard = f"unheard.shop.{DOMAIN}"
    assert look_up(pod, family, unheard) == ("NOERROR", [OTHER[family]])
    assert unheard not in {e.name for e in daemon.leases()}, "as every name of a zone"


def test_in_a_zone_a_service_serves_all_types(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                              other_pod: Pod) -> None:
    daemon.configure({"zones": [{"name": "cluster.local", "upstreams": [f"{FAKE4}:53"]}]})
    upstream.script = lambda q: answer(q, f"@ SRV 0 0 443 db-0.db.default.{DOMAIN}.")
    daemon.load(*pods(pod, other_pod), *services())
    reply = ask(pod.namespace, f"_p443._tcp.db.default.{DOMAIN}", "SRV")
    assert reply.rcode == "NOERROR" and len(reply.message.answer) == 1
    upstream.script = lambda q: answer(q, f"@ {q.type} 1 . ipv4hint={GOOD[4]}")
    for kind in ("HTTPS", "SVCB"):  # a client would go to the hints
        reply = ask(pod.namespace, f"db.default.{DOMAIN}", kind)
        assert reply.rcode == "NOERROR" and not reply.message.answer
    assert daemon.leases() == []


def test_selected_workloads_answer_for_an_entry(daemon: Daemon, lab: Lab, pod: Pod,
                                                other_pod: Pod, family: int) -> None:
    """A pod by its labels, and what is no pod by a WorkloadEntry."""
    entry = manifests.service_entry("app.example", resolution="STATIC",
                                    workloadSelector={"labels": {"app": "two"}})
    target = manifests.pod("two", [other_pod.v4, other_pod.v6])
    machine = manifests.workload_entry("vm", GOOD[family], app="two")
    daemon.load(manifests.pod("one", [pod.v4, pod.v6]), target, machine, entry)
    rcode, addresses = look_up(pod, family, "app.example")
    assert rcode == "NOERROR"
    assert set(addresses) == {other_pod.address(family), GOOD[family]}
    assert reach.connect(pod.namespace, GOOD[family], 443).result == "ok"
