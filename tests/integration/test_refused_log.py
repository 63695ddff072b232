# SPDX-License-Identifier: Apache-2.0
"""Refused connections, explained in the log."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

import forge
import manifests
import reach
import zone
from daemon import Daemon, Record, wait_until
from dnsclient import ask, node_local
from internet import ECHO_PORT, UDP_HOST4, UDP_HOST6
from lab import Pod

GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
UNLISTED = {4: zone.UNLISTED4, 6: zone.UNLISTED6}
UDP_HOST = {4: UDP_HOST4, 6: UDP_HOST6}
RDTYPE = {4: "A", 6: "AAAA"}
EVENT = "refused_connection"


def told(daemon: Daemon, address: str, port: int | None, proto: str, *, since: int = 0) -> Record:
    return daemon.log.wait_for(
        lambda r: r["event"] == EVENT and r["EGRESSD_ADDRESS"] == address
        and r.get("EGRESSD_PORT") == (None if port is None else str(port))
        and r["EGRESSD_PROTOCOL"] == proto, since=since)


@pytest.fixture
def served(daemon: Daemon, pod: Pod, other_pod: Pod, family: int) -> Daemon:
    """google.com on 443 is open to the pod, which is default/sleep."""
    daemon.load(manifests.service_entry("google.com"),
                manifests.pod("sleep", [pod.v4, pod.v6]),
                manifests.pod("other", [other_pod.v4, other_pod.v6]))
    ask(pod.namespace, "google.com", RDTYPE[family], server=node_local(family))
    return daemon


def test_a_port_that_is_not_listed(served: Daemon, pod: Pod, family: int) -> None:
    assert reach.connect(pod.namespace, GOOGLE[family], 80).refused_at_once
    record = told(served, GOOGLE[family], 80, "tcp")
    assert record["EGRESSD_POD"] == "default/sleep"
    assert record["EGRESSD_NAMESPACE"] == "default"
    assert record["EGRESSD_POD_ADDRESS"] == pod.address(family)
    assert record["EGRESSD_NAME"] == "google.com"
    assert record["EGRESSD_REASON"] == "not-listed-port"
    assert record["message"] == (f"refused: default/sleep to {GOOGLE[family]} port 80/tcp: "
                                 "google.com is open on other ports only")


def test_another_protocol(served: Daemon, pod: Pod, family: int) -> None:
    reach.datagram(pod.namespace, GOOGLE[family], 443)
    assert told(served, GOOGLE[family], 443, "udp")["EGRESSD_REASON"] == "not-listed-port"


def test_an_address_that_another_pod_was_given(served: Daemon, other_pod: Pod,
                                               family: int) -> None:
    reach.connect(other_pod.namespace, GOOGLE[family], 443)
    record = told(served, GOOGLE[family], 443, "tcp")
    assert record["EGRESSD_POD"] == "default/other"
    assert record["EGRESSD_NAME"] == "google.com"
    assert record["EGRESSD_REASON"] == "no-lookup"


def test_an_address_that_nobody_knows(served: Daemon, pod: Pod, family: int) -> None:
    reach.connect(pod.namespace, UNLISTED[family], 443)
    record = told(served, UNLISTED[family], 443, "tcp")
    assert record["EGRESSD_REASON"] == "unlisted" and "EGRESSD_NAME" not in record
    reach.datagram(pod.namespace, UDP_HOST[family], ECHO_PORT)
    assert told(served, UDP_HOST[family], ECHO_PORT, "udp")["EGRESSD_REASON"] == "unlisted"


def test_what_has_no_ports(served: Daemon, pod: Pod, family: int) -> None:
    packet = forge.echo(pod.address(family), UNLISTED[family])
    reach.send_raw(pod.namespace, family, packet, UNLISTED[family])
    proto = "icmp" if family == 4 else "ipv6-icmp"
    assert f"protocol {proto}:" in told(served, UNLISTED[family], None, proto)["message"]


def test_leases_of_the_last_daemon_have_names(served: Daemon, pod: Pod, family: int) -> None:
    assert served.stop() == 0
    served.start()
    reach.connect(pod.namespace, GOOGLE[family], 80)
    record = told(served, GOOGLE[family], 80, "tcp")
    assert record["EGRESSD_NAME"] == "google.com"
    assert record["EGRESSD_REASON"] == "not-listed-port"


def test_one_destination_over_and_over_is_one_record(served: Daemon, pod: Pod,
                                                     family: int) -> None:
    for _ in range(50):
        reach.connect(pod.namespace, UNLISTED[family], 443)
    reach.connect(pod.namespace, UNLISTED[family], 444)
    told(served, UNLISTED[family], 444, "tcp")
    same = [r for r in served.log.since(0, EVENT) if r["EGRESSD_PORT"] == "443"]
    assert len(same) == 1


def test_allow_any_tells_nothing_and_reload_tells_again(served: Daemon, pod: Pod,
                                                        family: int) -> None:
    served.load(mode="ALLOW_ANY")
    assert reach.connect(pod.namespace, UNLISTED[family], 443).result == "ok"
    served.load()
    mark = served.log.mark()
    reach.connect(pod.namespace, UNLISTED[family], 443)
    told(served, UNLISTED[family], 443, "tcp", since=mark)


# A flood


POD_RECORDS_A_SECOND = 25
LOOKUPS = 200
FLOODER = """
import socket, sys, time
family = socket.AF_INET if "." in sys.argv[1] else socket.AF_INET6
s = socket.socket(family, socket.SOCK_DGRAM)
print("begun", flush=True)
i = 0
while True:
    i += 1
    try:
        s.sendto(b"x", (sys.argv[1], 1024 + i % 60000))
    except OSError:
        pass
"""


@contextlib.contextmanager
def flood(pod: Pod, address: str) -> Iterator[None]:
    """Datagrams to one port after the other, as fast as they go."""
    process = pod.namespace.start(sys.executable, "-c", FLOODER, address,
                                  stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def status(daemon: Daemon) -> dict[str, int]:
    return json.loads(daemon.ctl("status", "--json").stdout)


def test_a_flood_is_thinned_out_and_counted(served: Daemon, pod: Pod, family: int) -> None:
    begin = time.monotonic()
    with flood(pod, UNLISTED[family]):
        wait_until(lambda: status(served)["packets_unread"] > 10000, 30, "packets not looked at")
    seconds = time.monotonic() - begin
    records = served.log.since(0, EVENT)
    assert len(records) <= POD_RECORDS_A_SECOND * (seconds + 1)
    counts = status(served)
    assert counts["packets_refused"] > counts["packets_unread"]


def test_a_flood_hides_nobody_else(served: Daemon, pod: Pod, other_pod: Pod,
                                   family: int) -> None:
    with flood(pod, UNLISTED[family]):
        told(served, UNLISTED[family], 1025, "udp")
        for port in range(1, 6):
            mark = served.log.mark()
            reach.connect(other_pod.namespace, UNLISTED[family], port)
            begin = time.monotonic()
            told(served, UNLISTED[family], port, "tcp", since=mark)
            assert time.monotonic() - begin < 1


def lookups(pod: Pod, family: int, first: int) -> float:
    """The median of lookups that each need a commit."""
    taken = sorted(ask(pod.namespace, zone.burst_name(first + i), RDTYPE[family],
                       server=node_local(family)).took_s for i in range(LOOKUPS))
    return taken[LOOKUPS // 2]


def test_a_flood_delays_no_lookup(daemon: Daemon, pod: Pod, other_pod: Pod,
                                  family: int) -> None:
    daemon.load(manifests.service_entry("*.burst.example.com", resolution="NONE"))
    quiet = lookups(other_pod, family, 0)
    with flood(pod, UNLISTED[family]):
        told(daemon, UNLISTED[family], 1025, "udp")
        loud = lookups(other_pod, family, LOOKUPS)
    assert loud < quiet + 0.01, f"median {quiet * 1000:.2f} ms, then {loud * 1000:.2f} ms"
