# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: all of the new registry or all of the old one."""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading

import pytest

import manifests
import reach
import zone
from daemon import Daemon, is_event
from dnsclient import ask, make_query, node_local, open_udp
from fake_upstream import FakeUpstream, addresses
from lab import Pod
from witness import Witness, to

RDTYPE = {4: "A", 6: "AAAA"}
GOOGLE = {4: zone.GOOGLE4, 6: zone.GOOGLE6}
BROKEN = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: broken
spec:
  hosts:
  - broken.example
  resolution: SOMEHOW
"""
BROKEN_LINE = 8


def look_up(pod: Pod, family: int, name: str = "google.com") -> list[str]:
    return ask(pod.namespace, name, RDTYPE[family], server=node_local(family)).addresses()


@pytest.mark.parametrize("broken", [BROKEN, "a: [", "kind: &a x\n", "\0"],
                         ids=["enum", "syntax", "anchor", "nul"])
def test_a_broken_manifest_keeps_the_old_state(daemon: Daemon, pod: Pod, broken: str) -> None:
    daemon.load(manifests.service_entry("google.com"))
    look_up(pod, 4)
    before = daemon.leases()
    daemon.register(manifests.service_entry("four.example.com"))  # right, but not alone
    daemon.write("broken.yaml", broken)
    mark = daemon.log.mark()
    daemon.reload(expect="reload_failed")
    place = re.compile(r"broken\.yaml:\d+:\d+: error")
    assert any(place.search(r["message"]) for r in daemon.log.since(mark)), daemon.log.lines[-5:]
    assert look_up(pod, 4) == [zone.GOOGLE4]
    assert [e.destination for e in daemon.leases()] == [e.destination for e in before]
    assert ask(pod.namespace, "four.example.com").rcode == "NXDOMAIN"
    daemon.remove("broken.yaml")
    daemon.reload()
    assert look_up(pod, 4, "four.example.com") == [zone.PUBLIC4]


def test_the_place_is_exact(daemon: Daemon) -> None:
    daemon.write("broken.yaml", BROKEN)
    mark = daemon.log.mark()
    daemon.reload(expect="reload_failed")
    text = "\n".join(r["message"] for r in daemon.log.since(mark))
    column = BROKEN.splitlines()[BROKEN_LINE - 1].index("SOMEHOW") + 1
    assert f"broken.yaml:{BROKEN_LINE}:{column}: error" in text, text
    assert "SOMEHOW" in text


@pytest.mark.parametrize("config", ["nonsense: 1\n", "listen: [x]\n", "lease: {floor: soon}\n",
                                    "meshConfig: {outboundTrafficPolicy: {mode: MAYBE}}\n"])
def test_a_broken_configuration_keeps_the_old_state(daemon: Daemon, pod: Pod,
                                                    config: str) -> None:
    daemon.load(manifests.service_entry("google.com"))
    daemon.configure(config)
    mark = daemon.log.mark()
    daemon.reload(expect="reload_failed")
    assert any("egressd.yaml:1:" in r["message"] for r in daemon.log.since(mark))
    assert look_up(pod, 4) == [zone.GOOGLE4]
    assert ask(pod.namespace, "unlisted.example").rcode == "NXDOMAIN"


def test_a_broken_start_tells_every_finding(installed: Daemon) -> None:
    installed.register()
    installed.write("first.yaml", BROKEN)
    installed.write("second.yaml", BROKEN.replace("SOMEHOW", "ELSEWISE"))
    installed.spawn()
    assert installed.wait() == 1
    text = installed.log.text()
    for name, word in (("first", "SOMEHOW"), ("second", "ELSEWISE")):
        assert re.search(rf"{name}\.yaml:{BROKEN_LINE}:\d+: error.*{word}", text), text


def test_a_broken_configuration_does_not_start(installed: Daemon) -> None:
    installed.configure("nonsense: 1\nlisten: [x]\n")
    installed.spawn()
    assert installed.wait() == 1
    text = installed.log.text()
    assert "egressd.yaml:1:" in text and "egressd.yaml:2:" in text, text


def test_the_check_tells_the_same_and_touches_nothing(daemon: Daemon) -> None:
    def check() -> tuple[int, str]:
        done = daemon.lab.node.run(str(daemon.egressd), "-t")
        return done.returncode, done.stdout + done.stderr

    assert check()[0] == 0
    daemon.write("broken.yaml", BROKEN)
    status, text = check()
    assert status == 1 and f"broken.yaml:{BROKEN_LINE}:" in text
    assert daemon.lab.node.run(str(daemon.egressd), "--nonsense").returncode == 2
    assert daemon.alive()


def test_a_withdrawn_entry_takes_its_leases_along(daemon: Daemon, pod: Pod, family: int,
                                                  witness: Witness) -> None:
    daemon.load(manifests.service_entry("google.com"), manifests.service_entry("six.example.com"),
                manifests.service_entry("four.example.com"))
    kept = "four.example.com" if family == 4 else "six.example.com"
    stays = look_up(pod, family, kept)
    look_up(pod, family)
    assert reach.connect(pod.namespace, GOOGLE[family], 443).result == "ok"
    daemon.load(manifests.service_entry(kept))
    assert {e.destination for e in daemon.leases()} == set(stays)
    mark = witness.mark()
    assert reach.connect(pod.namespace, GOOGLE[family], 443).refused_at_once
    assert reach.connect(pod.namespace, stays[0], 443).result == "ok"
    witness.only(mark, to(stays, 443))


def test_two_names_of_one_address_hold_it_together(daemon: Daemon, pod: Pod) -> None:
    both = [manifests.service_entry("google.com"), manifests.service_entry("www.google.com")]
    daemon.load(*both)
    look_up(pod, 4)
    look_up(pod, 4, "www.google.com")
    daemon.load(both[1])
    assert daemon.leased(pod.v4, [zone.GOOGLE4], 443)
    daemon.load()
    assert daemon.leases() == []


def test_an_added_port_opens_on_known_addresses(daemon: Daemon, pod: Pod, family: int) -> None:
    daemon.load(manifests.service_entry("google.com"))
    look_up(pod, family)
    assert reach.connect(pod.namespace, GOOGLE[family], 80).refused_at_once
    daemon.load(manifests.service_entry("google.com", ports=[manifests.HTTPS, manifests.HTTP]))
    assert reach.connect(pod.namespace, GOOGLE[family], 80).result == "ok", "without a lookup"
    daemon.load(manifests.service_entry("google.com", ports=[manifests.HTTP]))
    assert reach.connect(pod.namespace, GOOGLE[family], 443).refused_at_once
    assert reach.connect(pod.namespace, GOOGLE[family], 80).result == "ok"


def test_a_question_under_way_is_judged_by_the_new_registry(daemon: Daemon, pod: Pod,
                                                            upstream: FakeUpstream) -> None:
    """The answer is held back until after the switch that withdrew the name."""
    daemon.load(manifests.service_entry("one.example"))
    upstream.script = lambda q: addresses(q, zone.PUBLIC4, zone.PUBLIC6)
    upstream.holding = True
    with open_udp(pod.namespace, node_local(4)) as s:
        s.send(make_query("one.example").to_wire())
        upstream.wait_asked(1, "one.example")
        daemon.load()
        upstream.release()
        assert s.recv(4096)[3] & 0xf == 3, "NXDOMAIN"
    assert daemon.leases() == []


def test_a_mounted_config_map_is_read_whole(daemon: Daemon, pod: Pod) -> None:
    """Symbolic links as the kubelet makes them."""
    folder = daemon.lab.node.path("/etc/egressd/registry.d")
    daemon.register()
    (folder / "..2026_01").mkdir()
    (folder / "..2026_01/google.json").write_text(
        json.dumps(manifests.service_entry("google.com")))
    (folder / "..data").symlink_to("..2026_01")
    (folder / "google.json").symlink_to("..data/google.json")
    try:
        daemon.reload()
        assert look_up(pod, 4) == [zone.GOOGLE4]
    finally:
        (folder / "google.json").unlink()
        (folder / "..data").unlink()
        (folder / "..2026_01/google.json").unlink()
        (folder / "..2026_01").rmdir()


def test_a_storm_of_swaps_never_mixes_two_versions(daemon: Daemon) -> None:
    """The kubelet's renames without a pause; each generation has two hosts of its own."""
    folder = daemon.lab.node.path("/etc/egressd/registry.d")
    over = threading.Event()

    def write(generation: int) -> None:
        version = folder / f"..{generation}"
        version.mkdir()
        for name in "ab":
            (version / f"{name}.json").write_text(json.dumps(manifests.service_entry(
                f"{name}{generation % 2}.example", name=name)))
        (folder / "..data_tmp").symlink_to(version.name)
        (folder / "..data_tmp").rename(folder / "..data")

    def remove(generation: int) -> None:
        shutil.rmtree(folder / f"..{generation}")

    def blow() -> None:
        generation = 0
        while not over.is_set():
            write(generation + 1)
            remove(generation)
            generation += 1

    daemon.register()
    write(0)
    for name in "ab":
        (folder / f"{name}.json").symlink_to(f"..data/{name}.json")
    storm = threading.Thread(target=blow)
    storm.start()
    try:
        for _ in range(10):
            mark = daemon.log.mark()
            daemon.signal(signal.SIGHUP)
            record = daemon.log.wait_for(is_event("reloaded", "reload_failed"), since=mark)
            if record["event"] == "reloaded":
                assert record["EGRESSD_HOSTS"] == "2"
            else:
                assert any("changed each of" in r["message"] for r in daemon.log.since(mark))
    finally:
        over.set()
        storm.join()
    daemon.reload()
    for left in folder.glob("..*"):
        left.unlink() if left.is_symlink() else shutil.rmtree(left)


def test_reloads_lose_no_lookup(daemon: Daemon, pod: Pod) -> None:
    entries = [manifests.service_entry("google.com"), manifests.service_entry("four.example.com")]
    daemon.load(*entries)
    for i in range(20):
        daemon.register(*entries[:1 + i % 2])
        mark = daemon.log.mark()
        daemon.signal(signal.SIGHUP)
        for _ in range(20):
            reply = ask(pod.namespace, "google.com")
            assert reply.addresses() == [zone.GOOGLE4] and reply.took_s < 1
        daemon.log.wait_for(is_event("reloaded"), since=mark)


def test_a_manager_that_hangs_does_not_stop_answers(daemon: Daemon, pod: Pod) -> None:
    """sd_notify(3) blocks when nobody reads; the queue of such a socket is short."""
    daemon.load(manifests.service_entry("google.com"))
    daemon.notify.heed(False)
    try:
        for _ in range(30):
            mark = daemon.log.mark()
            daemon.signal(signal.SIGHUP)
            reply = ask(pod.namespace, "google.com")
            assert reply.addresses() == [zone.GOOGLE4] and reply.took_s < 1
            daemon.log.wait_for(is_event("reloaded"), since=mark)
    finally:
        daemon.notify.heed(True)
