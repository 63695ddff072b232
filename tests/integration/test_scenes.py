# SPDX-License-Identifier: Apache-2.0
"""The three scenes that define done, with the configuration as shipped."""

from __future__ import annotations

import json

import pytest

import manifests
import nft
import reach
import zone
from daemon import Daemon
from dnsclient import ask, node_local
from lab import Lab, Pod
from witness import Witness, to

GOOGLE = manifests.service_entry("google.com", name="google-ext")
GOOGLE_ADDRESS = {4: zone.GOOGLE4, 6: zone.GOOGLE6}


@pytest.fixture
def shipped(installed: Daemon, pod: Pod) -> Daemon:
    """No configuration file; the registry knows the pod and nothing else."""
    installed.register(sleep(pod), mode=None)
    installed.start()
    return installed


def sleep(pod: Pod) -> manifests.Manifest:
    return manifests.pod("sleep", [pod.v4, pod.v6])


def get(lab: Lab, pod: Pod, url: str, family: int, *options: str) -> reach.Page:
    return reach.curl(pod.namespace, url, lab.internet.ca_file, f"-{family}", *options)


def test_allow_any_lets_everything_through(lab: Lab, shipped: Daemon, pod: Pod,
                                           family: int) -> None:
    assert get(lab, pod, "https://google.com", family).status == "200"
    assert get(lab, pod, "http://google.com", family).status == "200"
    assert get(lab, pod, "http://unlisted.example", family).status == "200"
    assert reach.connect(pod.namespace, GOOGLE_ADDRESS[family], 443).result == "ok"


def test_registry_only_refuses_name_and_address(lab: Lab, shipped: Daemon, pod: Pod, family: int,
                                                witness: Witness) -> None:
    shipped.load(sleep(pod))
    mark, log = witness.mark(), shipped.log.mark()
    page = get(lab, pod, "https://google.com", family)
    assert page.exit == reach.CURL_NO_NAME and page.took_s < 0.5
    record = shipped.log.wait_for(
        lambda r: r["event"] == "refused_lookup" and r["EGRESSD_NAME"] == "google.com", since=log)
    assert record["EGRESSD_POD"] == "default/sleep"
    assert record["EGRESSD_REASON"] == "not-registered"
    address = GOOGLE_ADDRESS[family]
    literal = f"[{address}]" if family == 6 else address
    page = get(lab, pod, f"https://{literal}", family)
    assert page.exit == reach.CURL_NO_CONNECTION and page.took_s < 0.5
    witness.only(mark)


def test_an_entry_opens_its_port_and_no_other(lab: Lab, shipped: Daemon, pod: Pod, family: int,
                                              witness: Witness) -> None:
    shipped.load(sleep(pod))
    assert get(lab, pod, "https://google.com", family).exit == reach.CURL_NO_NAME
    shipped.load(sleep(pod), GOOGLE)
    mark = witness.mark()
    assert get(lab, pod, "https://google.com", family).status == "200"
    page = get(lab, pod, "http://google.com", family)
    assert page.exit == reach.CURL_NO_CONNECTION and page.took_s < 0.5
    witness.only(mark, to([GOOGLE_ADDRESS[family]], 443))


def test_allow_any_answers_every_type_and_leases_nothing(shipped: Daemon, pod: Pod) -> None:
    assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
    assert ask(pod.namespace, "google.com", "AAAA").addresses() == [zone.GOOGLE6]
    text = ask(pod.namespace, "text.example.com", "TXT").message.answer
    assert len(text) == 1 and "text" in text[0].to_text()
    assert ask(pod.namespace, "service.example.com", "HTTPS").message.answer
    assert ask(pod.namespace, "nowhere.example", "A").rcode == "NXDOMAIN"
    assert ask(pod.namespace, "nowhere.example", "A").ede_codes() == []
    assert shipped.leases() == []
    assert shipped.log.since(0, "refused_lookup") == []


def test_an_empty_policy_is_registry_only(shipped: Daemon, pod: Pod) -> None:
    """outboundTrafficPolicy: {} is how tools print REGISTRY_ONLY."""
    assert ask(pod.namespace, "google.com").rcode == "NOERROR"
    empty = manifests.policy(None)
    empty["spec"]["meshConfig"]["outboundTrafficPolicy"] = {}
    shipped.write("00000.json", json.dumps(empty))
    shipped.reload()
    assert ask(pod.namespace, "google.com").rcode == "NXDOMAIN"


def test_the_mode_switches_both_ways(shipped: Daemon, pod: Pod, family: int,
                                     witness: Witness) -> None:
    address = GOOGLE_ADDRESS[family]
    for _ in range(2):
        assert reach.connect(pod.namespace, address, 80).result == "ok"
        shipped.load(sleep(pod))
        mark = witness.mark()
        assert reach.connect(pod.namespace, address, 80).refused_at_once
        assert ask(pod.namespace, "google.com").rcode == "NXDOMAIN"
        witness.only(mark)
        shipped.load(sleep(pod), mode=None)
        assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]


@pytest.mark.parametrize("rdtype", ["A", "AAAA"])
def test_a_lookup_over_ipv4_opens_both_families(shipped: Daemon, pod: Pod, rdtype: str) -> None:
    """Programs ask for AAAA over IPv4 too, and connect from the pod's IPv6 address."""
    shipped.load(sleep(pod), GOOGLE)
    reply = ask(pod.namespace, "google.com", rdtype, server=node_local(4))
    assert reply.rcode == "NOERROR"
    assert reply.addresses() == [zone.GOOGLE4 if rdtype == "A" else zone.GOOGLE6]
    assert reach.connect(pod.namespace, reply.addresses()[0], 443).result == "ok"


@pytest.mark.parametrize("rdtype", ["A", "AAAA"])
def test_an_unknown_pod_gets_no_address_that_it_cannot_reach(shipped: Daemon, other_pod: Pod,
                                                             rdtype: str) -> None:
    """Of a pod without a manifest only the address that asks is known."""
    shipped.load(GOOGLE)
    reply = ask(other_pod.namespace, "google.com", rdtype, server=node_local(4))
    assert reply.rcode == "NOERROR"
    for address in reply.addresses():
        assert reach.connect(other_pod.namespace, address, 443).result == "ok"
    assert len(reply.addresses()) == (1 if rdtype == "A" else len(reply.addresses()))


def test_the_set_explains_itself(shipped: Daemon, pod: Pod) -> None:
    shipped.load(sleep(pod), GOOGLE)
    ask(pod.namespace, "google.com")
    text = nft.lease_text(shipped.lab.node, 4)
    assert f"{pod.v4} . {zone.GOOGLE4} . tcp . 443" in text and '"google.com"' in text
