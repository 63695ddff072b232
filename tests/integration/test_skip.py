# SPDX-License-Identifier: Apache-2.0
"""registryErrors: skip: one team's mistake does not freeze the node."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

import manifests
import zone
from daemon import Daemon, Record, is_event
from dnsclient import ask
from lab import Pod

SKIP = "registryErrors: skip\nmeshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n"
MINE = manifests.service_entry("google.com", name="mine")
THEIRS = manifests.service_entry("four.example.com", name="theirs")
BROKEN = manifests.service_entry("four.example.com", name="theirs", resolution="SOMEHOW")


def resolves(pod: Pod, name: str) -> bool:
    return bool(ask(pod.namespace, name).addresses())


def counts(daemon: Daemon) -> tuple[int, int]:
    """Left out, and in their last good form."""
    status = json.loads(daemon.ctl("status", "--json").stdout)
    return status["manifests_left_out"], status["manifests_last_good"]


def reload(daemon: Daemon, **files: str | Sequence[manifests.Manifest]) -> list[Record]:
    """These files are the registry from now on. The records of the reload."""
    daemon.register(mode="REGISTRY_ONLY")
    for name, what in files.items():
        text = what if isinstance(what, str) else json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": list(what)})
        daemon.write(f"{name}.yaml", text)
    mark = daemon.log.mark()
    daemon.reload()
    return daemon.log.since(mark)


@pytest.fixture
def skipping(daemon: Daemon) -> Daemon:
    daemon.configure(SKIP)
    reload(daemon)
    return daemon


def test_a_broken_one_is_left_out_loudly(skipping: Daemon, pod: Pod) -> None:
    records = reload(skipping, a=[MINE, BROKEN])
    assert resolves(pod, "google.com") and not resolves(pod, "four.example.com")
    assert any("SOMEHOW" in r["message"] and "a.yaml:" in r["message"]
               for r in records if r["event"] == "finding")
    summary = [r for r in records if r["event"] == "left_out"]
    assert [(r["EGRESSD_LEFT_OUT"], r["EGRESSD_LAST_GOOD"]) for r in summary] == [("1", "0")], summary
    assert counts(skipping) == (1, 0)
    records = reload(skipping, a=[MINE, THEIRS])
    assert resolves(pod, "four.example.com") and counts(skipping) == (0, 0)
    assert not any(r["event"] in ("finding", "left_out") for r in records)


@pytest.mark.parametrize("broken", [[MINE, BROKEN], [BROKEN], "kind: [\n", "\0", "caf\udce9"],
                         ids=["object", "alone", "syntax", "nul", "latin1"])
def test_what_was_good_keeps_its_last_good_form(skipping: Daemon, pod: Pod,
                                                broken: str | list[manifests.Manifest]) -> None:
    reload(skipping, a=[MINE], b=[THEIRS])
    assert resolves(pod, "four.example.com")
    leases = skipping.leases()
    if isinstance(broken, str) and not broken.isascii():
        path = skipping.lab.node.path("/etc/egressd/registry.d/b.yaml")
        path.write_bytes(broken.encode(errors="surrogateescape"))
        mark = skipping.log.mark()
        skipping.reload()
        records = skipping.log.since(mark)
    else:
        records = reload(skipping, b=broken)
    assert resolves(pod, "four.example.com")
    assert counts(skipping) == (0, 1)
    assert {(e.destination, e.port) for e in leases} <= {
        (e.destination, e.port) for e in skipping.leases()}
    assert any(r["event"] == "left_out" and r["EGRESSD_LAST_GOOD"] == "1" for r in records)
    reload(skipping, a=[MINE])
    assert not resolves(pod, "four.example.com") and skipping.leases() == []
    assert counts(skipping) == (0, 0)


def test_new_ones_come_in_beside_broken_ones(skipping: Daemon, pod: Pod) -> None:
    reload(skipping, a=[BROKEN])
    reload(skipping, a=[BROKEN], b=[MINE])
    assert resolves(pod, "google.com")
    assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]


def test_a_broken_mesh_refuses_the_reload(skipping: Daemon, pod: Pod) -> None:
    reload(skipping, a=[MINE])
    skipping.write("z.json", json.dumps(manifests.policy("SOMETIMES") | {
        "metadata": {"name": "other"}}))
    mark = skipping.log.mark()
    skipping.reload(expect="reload_failed")
    assert any("SOMETIMES" in r["message"] for r in skipping.log.since(mark))
    assert resolves(pod, "google.com")


def test_a_start_without_last_good_forms(installed: Daemon, pod: Pod) -> None:
    installed.configure(SKIP)
    installed.register(MINE, BROKEN)
    installed.start()
    assert installed.log.wait_for(is_event("left_out"))["EGRESSD_LEFT_OUT"] == "1"
    assert resolves(pod, "google.com") and not resolves(pod, "four.example.com")
    assert counts(installed) == (1, 0)
    assert any("SOMEHOW" in line for line in installed.log.lines)


def test_the_check_is_as_strict_as_ever(skipping: Daemon) -> None:
    reload(skipping, a=[MINE, BROKEN])
    done = skipping.lab.node.run(str(skipping.egressd), "-t")
    assert done.returncode == 1 and "SOMEHOW" in done.stdout
