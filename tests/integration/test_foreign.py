# SPDX-License-Identifier: Apache-2.0
"""Other programs' tables that accept everything, wherever a pod's packet comes by."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

import forge
import manifests
import reach
import zone
from daemon import Daemon
from dnsclient import ask
from forge import Wire
from internet import SINK_PORT
from lab import Lab, Pod
from namespace import Namespace
from test_bypass import attack, open_google
from witness import Witness, within

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
# nft's names for priorities, the places of our own chains, and what lies around them.
LOWEST, HIGHEST = -2147483648, 2147483647
PRIORITIES = (LOWEST, -500, -450, -400, -300, -225, -200, -199, -151, -150, -149, -106, -105,
              -104, -103, -100, 0, 50, 100, 225, 300, HIGHEST)
# The kernel wants those of type nat behind conntrack.
NAT_PRIORITIES = tuple(p for p in PRIORITIES if p > -200)
NAT_HOOKS = ("prerouting", "input", "output", "postrouting")
KINDS = ("inet", "ip", "ip6", "nat", "netdev", "ingress")
RULES = 20000

Place = tuple[str, str, str, int]  # table's family, chain's type, hook, priority


def places(kind: str, pod: Pod) -> list[Place]:
    """Everywhere that a chain of this kind can be."""
    if kind == "nat":
        return [("inet", "nat", hook, p)
                for hook, p in itertools.product(NAT_HOOKS, NAT_PRIORITIES)]
    if kind == "netdev":
        return [("netdev", "filter", hook, p) for p in PRIORITIES for hook in (
            f"ingress device {pod.interface}", f"egress device {pod.interface}",
            "ingress device uplink0", "egress device uplink0")]
    if kind == "ingress":
        return [("inet", "filter", f"ingress device {pod.interface}", p) for p in PRIORITIES]
    return [(kind, "filter", hook, p) for hook, p in itertools.product(HOOKS, PRIORITIES)]


@contextmanager
def accepting(node: Namespace, chains: Sequence[Place]) -> Iterator[None]:
    """A table of one family with these chains."""
    family = chains[0][0]
    text = "".join(f"  chain c{i} {{\n    type {kind} hook {hook} priority {priority}\n"
                   "    accept\n  }\n" for i, (_, kind, hook, priority) in enumerate(chains))
    node.run("nft", "-f", "-", stdin=f"table {family} foreign {{\n{text}}}\n", check=True)
    try:
        yield
    finally:
        node.run("nft", "delete", "table", family, "foreign", check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_everywhere_at_once(daemon: Daemon, pod: Pod, wire: Wire, lab: Lab, kind: str,
                            witness: Witness) -> None:
    open_google(daemon, pod)
    with accepting(lab.node, places(kind, pod)):
        mark = witness.mark()
        wire.send(*attack(pod, 4), *attack(pod, 6))
        witness.only(mark)
        assert reach.connect(pod.namespace, zone.UNLISTED4, 443).refused_at_once
        assert reach.connect(pod.namespace, zone.UNLISTED6, 443).refused_at_once
        assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"
        assert reach.connect(pod.namespace, zone.GOOGLE6, 443).result == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_there_before_us(installed: Daemon, pod: Pod, wire: Wire, lab: Lab, kind: str,
                         witness: Witness) -> None:
    """Of chains of one priority the older goes first."""
    installed.register(manifests.service_entry("google.com"))
    with accepting(lab.node, places(kind, pod)):
        installed.start()
        mark = witness.mark()
        wire.send(*attack(pod, 4), *attack(pod, 6))
        witness.only(mark)
        assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
        assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_in_each_place_alone(daemon: Daemon, pod: Pod, wire: Wire, lab: Lab, kind: str,
                             witness: Witness) -> None:
    open_google(daemon, pod)
    packets = attack(pod, 4) + attack(pod, 6)
    for place in places(kind, pod):
        with accepting(lab.node, [place]):
            mark = witness.mark()
            wire.send(*packets)
            witness.only(mark)


@pytest.mark.parametrize("kind", ["inet", "ip", "ip6"])
def test_many_rules_are_loaded(daemon: Daemon, pod: Pod, lab: Lab, kind: str,
                               witness: Witness) -> None:
    """Under attack, and while answers are committed: they come, or fail."""
    open_google(daemon, pod)
    daemon.load(manifests.service_entry("google.com"), manifests.service_entry(
        "*.burst.example.com", ports=[(SINK_PORT, "TCP")], resolution="NONE"))
    rules = "".join(f"    tcp dport {1 + i} counter accept\n" for i in range(RULES))
    text = (f"table {kind} foreign {{\n  chain c {{\n    type filter hook prerouting "
            f"priority -500\n{rules}  }}\n}}\n")
    lab.node.write("/run/rules.nft", text)
    mark = witness.mark()
    answered = 0
    with forge.flood(pod, attack(pod, 4) + attack(pod, 6)) as sent:
        loading = lab.node.start("nft", "-f", "/run/rules.nft")
        for i in range(zone.BURST_NAMES):
            reply = ask(pod.namespace, zone.burst_name(i))
            assert reply.rcode == "NOERROR" or not reply.message.answer
            for address in reply.addresses():
                assert reach.connect(pod.namespace, address, SINK_PORT).result == "ok"
                answered += 1
            if loading.poll() is not None:
                break
    assert loading.returncode == 0 and sent.count > 0 and answered > 0
    lab.node.run("nft", "delete", "table", kind, "foreign", check=True)
    witness.only(mark, within(zone.BURST4, SINK_PORT))
