# SPDX-License-Identifier: Apache-2.0
"""The search list of a pod: what it costs, and how `autopath` makes it cost less."""

from __future__ import annotations

import dns.rdatatype
import pytest

import manifests
import zone
from daemon import Daemon
from dnsclient import ask
from lab import Pod

NAME = "google.com"
SUFFIX = "default.svc.cluster.local"


@pytest.fixture
def autopath(daemon: Daemon, pod: Pod) -> Daemon:
    daemon.configure({"autopath": True})
    daemon.load(manifests.service_entry(NAME), manifests.pod("sleep", [pod.v4, pod.v6]))
    return daemon


@pytest.mark.parametrize("suffix", [SUFFIX, "svc.cluster.local", "cluster.local"])
def test_names_under_the_search_list_are_refused_at_once(daemon: Daemon, pod: Pod,
                                                         suffix: str) -> None:
    daemon.load(manifests.service_entry(NAME))
    for rdtype in ("A", "AAAA"):
        reply = ask(pod.namespace, f"{NAME}.{suffix}", rdtype)
        assert reply.rcode == "NXDOMAIN" and reply.has_soa
    assert not daemon.leases()


def test_a_registered_name_is_answered_at_the_first_domain(autopath: Daemon, pod: Pod) -> None:
    reply = ask(pod.namespace, f"GooGle.com.{SUFFIX}")
    assert reply.addresses() == [zone.GOOGLE4]
    assert [r.rdtype for r in reply.message.answer] == [dns.rdatatype.CNAME,
                                                        dns.rdatatype.A]
    assert reply.message.answer[0][0].target.to_text() == NAME + "."
    assert autopath.leased(pod.v4, [zone.GOOGLE4], 443)
    assert ask(pod.namespace, f"{NAME}.{SUFFIX}", tcp=True).addresses() == [zone.GOOGLE4]


def test_the_other_family_is_empty_not_absent(autopath: Daemon, pod: Pod) -> None:
    autopath.load(manifests.service_entry("four.example.com"),
                  manifests.pod("sleep", [pod.v4, pod.v6]))
    reply = ask(pod.namespace, f"four.example.com.{SUFFIX}", "AAAA")
    assert reply.rcode == "NOERROR" and not reply.addresses()


@pytest.mark.parametrize("name", ["unlisted.example." + SUFFIX, f"{NAME}.svc.cluster.local",
                                  f"{NAME}.other.svc.cluster.local", f"sub.{NAME}.{SUFFIX}"])
def test_everything_else_is_refused_as_before(autopath: Daemon, pod: Pod, name: str) -> None:
    assert ask(pod.namespace, name).rcode == "NXDOMAIN"
    assert not autopath.leases()


def test_a_pod_that_no_manifest_tells_of_has_no_search_list(autopath: Daemon,
                                                            other_pod: Pod) -> None:
    assert ask(other_pod.namespace, f"{NAME}.{SUFFIX}").rcode == "NXDOMAIN"
