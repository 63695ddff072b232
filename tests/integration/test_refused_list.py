# SPDX-License-Identifier: Apache-2.0
"""egressctl refused and suggest: what was refused, and what would have allowed it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

import forge
import manifests
import reach
import zone
from daemon import Daemon, wait_until
from dnsclient import ask, node_local
from lab import Pod

GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
RDTYPE = {4: "A", 6: "AAAA"}


def refused(daemon: Daemon) -> list[dict[str, Any]]:
    return json.loads(daemon.ctl("refused", "--json").stdout)


def one(daemon: Daemon, **wanted: Any) -> dict[str, Any]:
    """The only record that has these members, once it is there."""
    def matching() -> list[dict[str, Any]]:
        return [r for r in refused(daemon) if wanted.items() <= r.items()]
    wait_until(lambda: bool(matching()), 10, f"a record with {wanted}")
    found = matching()
    assert len(found) == 1
    return found[0]


@pytest.fixture
def served(daemon: Daemon, pod: Pod, family: int) -> Daemon:
    """google.com on 443 is open to the pod, which is default/sleep."""
    daemon.load(manifests.service_entry("google.com"),
                manifests.pod("sleep", [pod.v4, pod.v6]))
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    return daemon


def test_lookups_and_how_often(served: Daemon, pod: Pod, family: int) -> None:
    for rdtype in ("A", "AAAA", "A"):
        ask(pod.namespace, "unlisted.example", rdtype, server=node_local(family))
    record = one(served, event="refused_lookup", name="unlisted.example")
    assert record["count"] == 3 and record["reason"] == "not-registered"
    assert record["pod"] == "default/sleep" and record["pod_address"] == pod.address(family)
    assert 0 <= record["seconds_ago"] <= record["first_seconds_ago"]
    text = served.ctl("refused").stdout
    assert "s 3 default/sleep unlisted.example A: no ServiceEntry lists it\n" in text


def test_a_connection_names_the_entry_that_nearly_allowed_it(served: Daemon, pod: Pod,
                                                             family: int) -> None:
    reach.connect(pod.namespace, GOOGLE[family], 80)
    record = one(served, event="refused_connection", address=GOOGLE[family], port=80)
    assert record["protocol"] == "tcp" and record["name"] == "google.com"
    assert record["reason"] == "not-listed-port"
    assert record["entry"].startswith("default/google-com (")
    logged = served.log.wait_for(lambda r: r["event"] == "refused_connection"
                                 and r["EGRESSD_ADDRESS"] == GOOGLE[family])
    assert logged["EGRESSD_ENTRY"] == record["entry"]
    assert (f"default/sleep {GOOGLE[family]} 80/tcp: google.com is open on other ports only; "
            "near: default/google-com (") in served.ctl("refused").stdout


def test_an_address_that_an_entry_lists_for_another_port(daemon: Daemon, pod: Pod,
                                                         family: int) -> None:
    daemon.load(manifests.service_entry("by-address.example", ports=[(80, "TCP")],
                                        resolution="NONE", addresses=[UNLISTED[family]]))
    reach.connect(pod.namespace, UNLISTED[family], 443)
    record = one(daemon, address=UNLISTED[family], port=443)
    assert record["reason"] == "listed-otherwise" and "name" not in record
    assert record["entry"].startswith("default/by-address-example (")


def test_what_is_suggested_is_accepted_and_opens_it(served: Daemon, pod: Pod,
                                                    family: int) -> None:
    """A port of a listed name, an address, and a name: refused, suggested, loaded, open."""
    reach.connect(pod.namespace, GOOGLE[family], 80)
    reach.connect(pod.namespace, UNLISTED[family], 443)
    ask(pod.namespace, "www.example.com", RDTYPE[family], server=node_local(family))
    packet = forge.echo(pod.address(family), UNLISTED[family])
    reach.send_raw(pod.namespace, family, packet, UNLISTED[family])
    one(served, address=GOOGLE[family], port=80)
    one(served, address=UNLISTED[family], port=443)
    one(served, protocol="icmp" if family == 4 else "ipv6-icmp")
    suggested = served.ctl("suggest").stdout
    documents = [d for d in yaml.safe_load_all(suggested) if d]
    assert {tuple(d["spec"]["hosts"]) for d in documents} >= {("google.com",),
                                                              ("www.example.com",)}
    assert "an entry opens ports of TCP and UDP only" in suggested
    check = served.lab.node.run(str(served.egressd), "-t", "-", stdin=suggested)
    assert check.returncode == 0, check.stdout

    served.load(manifests.service_entry("google.com"),
                manifests.pod("sleep", [pod.v4, pod.v6]), *documents)
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    assert reach.connect(pod.namespace, GOOGLE[family], 80).result == "ok"
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    assert reach.connect(pod.namespace, UNLISTED[family], 443).result == "ok"
    reply = ask(pod.namespace, "www.example.com", RDTYPE[family], server=node_local(family))
    assert reply.rcode == "NOERROR"
    assert "kind:" not in served.ctl("suggest").stdout


def test_nothing_refused_is_nothing_listed(daemon: Daemon) -> None:
    assert refused(daemon) == []
    assert daemon.ctl("refused").stdout == "" and daemon.ctl("suggest").stdout == ""
    assert daemon.ctl("suggest", "--json").returncode == 2
