# SPDX-License-Identifier: Apache-2.0
"""Entries that lead elsewhere: targetPort, endpoints' own ports, addresses before endpoints."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest

import manifests
import nft
import reach
import zone
from daemon import Daemon, is_event
from far import (BEHIND, INNER, ONE, PORT, TWO, VIP, Far, answers, both, endpoint, entry, gone,
                 look_up, open_flow, reached, vip)
from internet import ECHO_PORT, SINK_PORT, UDP_HOST4, UDP_HOST6
from lab import Lab, Pod
from witness import Witness

GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
ECHO = {4: UDP_HOST4, 6: UDP_HOST6}


def test_curl_by_target_port(daemon: Daemon, lab: Lab, pod: Pod) -> None:
    """A name that is resolved, on a port that nobody serves there."""
    ca = lab.internet.ca_file
    daemon.load(entry(port=8443, protocol="HTTPS", target=443))
    page = reach.curl(pod.namespace, "https://google.com:8443/", ca)
    assert (page.exit, page.status) == (reach.CURL_OK, "200")
    assert reach.curl(pod.namespace, "https://google.com/", ca).exit == reach.CURL_NO_CONNECTION


def test_only_what_was_asked_for_is_open(daemon: Daemon, pod: Pod, other_pod: Pod, far: Far,
                                         family: int) -> None:
    daemon.load(entry(target=INNER))
    address = GOOGLE[family]
    assert reach.connect(pod.namespace, address, PORT).refused_at_once
    assert look_up(pod, family) == [address]
    assert reached(pod, far, address) == address
    assert reach.connect(pod.namespace, address, INNER).refused_at_once
    assert reach.connect(other_pod.namespace, address, PORT).refused_at_once
    assert daemon.leased(pod.address(family), [address], PORT)


def test_datagrams_by_target_port(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(entry("udp.example", protocol="UDP", target=ECHO_PORT, resolution="STATIC",
                      endpoints=[endpoint(a) for a in ECHO.values()]))
    assert look_up(pod, family, "udp.example") == [ECHO[family]]
    assert reach.datagram(pod.namespace, ECHO[family], PORT).result == "ok"
    assert reach.datagram(pod.namespace, ECHO[family], ECHO_PORT).refused_at_once


def test_an_endpoint_s_own_port_goes_before_the_target_port(daemon: Daemon, lab: Lab, pod: Pod,
                                                            far: Far, family: int) -> None:
    own, other = BEHIND[family][:2]
    daemon.load(entry("many.example", target=SINK_PORT, resolution="STATIC",
                      endpoints=[endpoint(own, INNER), endpoint(other)]))
    assert look_up(pod, family, "many.example") == [own, other]
    assert reached(pod, far, own) == own
    assert reach.connect(pod.namespace, other, PORT).result == "ok"
    assert reach.connect(pod.namespace, own, SINK_PORT).refused_at_once


def test_an_endpoint_with_a_name_has_its_own_port(daemon: Daemon, pod: Pod, far: Far,
                                                  family: int) -> None:
    """Which of the names gave an address decides; over reloads, and anew when they change."""
    other = {4: zone.EDGE4, 6: zone.EDGE6}[family]

    def many(port: int) -> manifests.Manifest:
        return entry("many.example", target=SINK_PORT, endpoints=[
            endpoint("google.com", port), endpoint("www.example.com")])

    daemon.load(many(INNER))
    assert set(look_up(pod, family, "many.example")) == {GOOGLE[family], other}
    for _ in range(2):
        assert reached(pod, far, GOOGLE[family]) == GOOGLE[family]
        assert reach.connect(pod.namespace, other, PORT).result == "ok"
        daemon.load(many(INNER), entry("more.example"))
    daemon.load(many(SINK_PORT))
    assert reach.connect(pod.namespace, GOOGLE[family], PORT).refused_at_once
    look_up(pod, family, "many.example")
    assert reach.connect(pod.namespace, GOOGLE[family], PORT).result == "ok"


def test_listed_addresses_by_target_port(daemon: Daemon, pod: Pod, far: Far, family: int) -> None:
    """No lookup, and a range; the longer prefix holds."""
    ranges = {4: "198.51.100.0/24", 6: "2001:db8::/64"}
    daemon.load(entry("wide.example", target=INNER, resolution="NONE",
                      addresses=list(ranges.values())),
                entry("narrow.example", resolution="NONE", target=SINK_PORT,
                      addresses=[b[TWO] for b in BEHIND.values()]))
    assert reached(pod, far, BEHIND[family][ONE]) == BEHIND[family][ONE]
    assert reach.connect(pod.namespace, BEHIND[family][TWO], PORT).result == "ok"
    assert reach.connect(pod.namespace, BEHIND[family][ONE], INNER).refused_at_once


def test_endpoints_behind_an_address_by_weight(daemon: Daemon, pod: Pod, far: Far,
                                               family: int) -> None:
    """400 connections, 3 to 1: all but one run in 10^8 is within 300 +- 50."""
    daemon.load(vip(*both(INNER, 3, 1)))
    assert look_up(pod, family, "vip.example") == [VIP[family]]
    seen = Counter(reached(pod, far, VIP[family]) for _ in range(400))
    assert set(seen) == set(BEHIND[family][:2])
    assert 250 <= seen[BEHIND[family][ONE]] <= 350
    for address in BEHIND[family][:2]:
        assert reach.connect(pod.namespace, address, INNER).refused_at_once
        assert reach.connect(pod.namespace, address, PORT).refused_at_once


def test_an_address_without_an_endpoint_of_its_family(daemon: Daemon, pod: Pod, far: Far,
                                                      witness: Witness) -> None:
    daemon.load(vip(endpoint(BEHIND[4][ONE], INNER)))
    assert reached(pod, far, VIP[4]) == BEHIND[4][ONE]
    assert reach.connect(pod.namespace, VIP[6], PORT).refused_at_once


def test_who_does_not_see_an_entry_is_not_led_by_it(daemon: Daemon, pod: Pod, other_pod: Pod,
                                                    far: Far, family: int) -> None:
    """Two namespaces with an address in common, each with endpoints of its own."""
    pods = [manifests.pod("p", [pod.v4, pod.v6], namespace="red"),
            manifests.pod("q", [other_pod.v4, other_pod.v6], namespace="blue")]
    one, two = (vip(*(endpoint(BEHIND[f][i], INNER) for f in (4, 6)), namespace=n, exportTo=["."])
                for i, n in ((ONE, "red"), (TWO, "blue")))
    daemon.load(*pods, one, two)
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
    assert reached(other_pod, far, VIP[family]) == BEHIND[family][TWO]
    daemon.load(*pods, one)
    assert reach.connect(other_pod.namespace, VIP[family], PORT).refused_at_once


def test_flows_keep_their_endpoint_over_a_reload(daemon: Daemon, pod: Pod, far: Far,
                                                 family: int) -> None:
    daemon.load(vip(*(endpoint(BEHIND[f][ONE], INNER) for f in (4, 6))), entry(target=INNER))
    with open_flow(pod, VIP[family]) as near:
        end, where = far.accept()
        with closing(end):
            assert where == BEHIND[family][ONE] and answers(near, end)
            daemon.load(vip(*(endpoint(BEHIND[f][TWO], INNER) for f in (4, 6))),
                        entry(target=INNER))
            assert reached(pod, far, VIP[family]) == BEHIND[family][TWO]
            assert answers(near, end)


def test_a_new_target_port_holds_for_leases_that_stand(daemon: Daemon, pod: Pod, far: Far,
                                                       family: int) -> None:
    daemon.load(entry(target=SINK_PORT))
    look_up(pod, family)
    daemon.load(entry(target=INNER))
    assert reached(pod, far, GOOGLE[family]) == GOOGLE[family]
    daemon.load(entry())
    assert reach.connect(pod.namespace, GOOGLE[family], PORT).result == "ECONNREFUSED"
    daemon.load(entry(target=INNER))
    assert reached(pod, far, GOOGLE[family]) == GOOGLE[family]


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_the_next_daemon_leads_on(daemon: Daemon, pod: Pod, far: Far, family: int,
                                  how: str) -> None:
    daemon.load(entry(target=INNER), vip(*both(INNER, 1)))
    look_up(pod, family)
    if how == "restart":
        daemon.stop()
    else:
        daemon.kill()
    for start in (False, True):
        if start:
            daemon.start()
        assert reached(pod, far, GOOGLE[family]) == GOOGLE[family]
        assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]


def test_a_lost_table_leads_again(daemon: Daemon, lab: Lab, pod: Pod, far: Far,
                                  family: int) -> None:
    """An owner that is killed leaves the table to whoever flushes; the next one makes it."""
    daemon.load(entry(target=INNER), vip(*both(INNER, 1)))
    look_up(pod, family)
    daemon.kill()
    lab.node.run("nft", "flush", "ruleset", check=True)
    daemon.start()
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
    look_up(pod, family)
    assert reached(pod, far, GOOGLE[family]) == GOOGLE[family]


def test_what_is_withdrawn_leads_nowhere(daemon: Daemon, lab: Lab, pod: Pod, far: Far,
                                         family: int) -> None:
    daemon.load(entry(target=INNER), vip(*both(INNER, 1)))
    for name in ("google.com", "vip.example"):
        look_up(pod, family, name)
    flows = [open_flow(pod, a) for a in (GOOGLE[family], VIP[family])]
    ends = [far.accept()[0] for _ in flows]
    mark = daemon.log.mark()
    daemon.load()
    # those of tests before this one go with them
    assert int(daemon.log.wait_for(is_event("flows_cut"), since=mark)["EGRESSD_FLOWS"]) >= 2
    for near, end in zip(flows, ends):
        assert gone(near, end)
        near.close()
        end.close()
    for address in (GOOGLE[family], VIP[family]):
        assert reach.connect(pod.namespace, address, PORT).refused_at_once
    listing = lab.node.run("nft", "list", "table", *nft.TABLE, check=True).stdout
    assert "chain service" not in listing and f": {INNER}" not in listing


def test_addresses_lead_on_under_allow_any(daemon: Daemon, pod: Pod, far: Far,
                                           family: int) -> None:
    entries = [vip(*both(INNER, 1)), manifests.pod("p", [pod.v4, pod.v6])]
    daemon.load(*entries, mode="ALLOW_ANY")
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
    open_here = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
                 "metadata": {"name": "open", "namespace": "default"},
                 "spec": {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}}
    daemon.load(*entries, open_here)
    assert reached(pod, far, VIP[family]) == BEHIND[family][ONE]
    assert reach.connect(pod.namespace, zone.PUBLIC4, 80).result == "ok"
