# SPDX-License-Identifier: Apache-2.0
"""One pod cannot hurt another: rates, shares, and what waits too long.

Numbers such as A12 are those of the attacks in the project's reliability reference.
"""

from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import manifests
import zone
from conftest import FAKE4, Programs
from daemon import Daemon, is_event, wait_until
from dnsclient import ask, ask_many, frame, make_query, open_tcp, replies
from fake_upstream import FakeUpstream, Question, answer
from lab import NODE_LOCAL4, Lab, Pod

NAME = "google.com"
STEADY = Path(__file__).with_name("steady.py")
LATE_S = 2.2  # more than QUERY_LATE_MS
STALE_S = 4.3  # more than UDP_STALE_MS
LATE_CROWD = 16
BATCH = 64
CROWD = (4 + 2) * BATCH + 1  # two full batches more than are taken for a burst
FLOOD_S = 5
FULL = 4000  # 3.3 MB of the socket's buffer


@pytest.fixture
def limited(daemon: Daemon) -> Daemon:
    """100 queries a second of each pod."""
    daemon.configure({"pods": {"queriesPerSecond": 100}})
    daemon.load(manifests.service_entry(NAME))
    return daemon


def test_a12_a_pod_has_a_rate(limited: Daemon, pod: Pod, other_pod: Pod) -> None:
    mark = limited.log.mark()
    with ask_many(pod.namespace, [NAME] * 400) as s:
        assert ask(other_pod.namespace, NAME).addresses() == [zone.GOOGLE4]
        got = replies(s, 100)
    told = limited.counter("limited")
    assert told > 0 and got + told < 400, "both the kernel and the daemon hold it up"
    assert got < 300, "the rate does not hold"
    record = limited.log.wait_for(is_event("limit"), since=mark)
    assert record["EGRESSD_POD_ADDRESS"] == pod.v4 and "queriesPerSecond" in record["message"]
    assert len(limited.log.since(mark, "limit")) == 1, "a record for each is a flood too"


def test_a12_the_rate_holds_over_tcp(limited: Daemon, pod: Pod) -> None:
    with open_tcp(pod.namespace, NODE_LOCAL4) as s:
        s.sendall(frame(make_query(NAME).to_wire()) * 400)
        data = b""
        try:
            while more := s.recv(65536):
                data += more
        except ConnectionResetError:
            pass  # with what it had not read yet
    assert limited.counter("limited") >= 1
    assert limited.counter("tcp_connections") == 0


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_who_has_many_waiting_stands_in_line(daemon: Daemon, upstream: FakeUpstream, pod: Pod,
                                             other_pod: Pod, tcp: bool) -> None:
    """More than may wait at once: all are answered in the end, the other pod at once."""
    daemon.load(manifests.service_entry("*.held.example", resolution="NONE"))
    hold_back(upstream)
    names = [f"n{i}.held.example" for i in range(600)]
    with ask_many(pod.namespace, names) as many:
        wait_until(lambda: daemon.counter("in_line") > 300, 5, "the rest stands in line")
        upstream.holding = False
        reply = ask(other_pod.namespace, "one.held.example", tcp=tcp)
        assert reply.addresses() == [zone.PUBLIC4]
        upstream.release()
        assert replies(many, len(names)) == len(names)
    assert daemon.counter("in_line") == daemon.counter("waiting") == 0
    assert daemon.counter("failed") == 0


def test_the_line_ends_with_the_deadline(daemon: Daemon, upstream: FakeUpstream,
                                         pod: Pod) -> None:
    daemon.configure({"upstreams": [f"{FAKE4}:53"], "deadline": {"query": "1s"}})
    daemon.load(manifests.service_entry("*.held.example", resolution="NONE"))
    hold_back(upstream)
    names = [f"n{i}.held.example" for i in range(600)]
    with ask_many(pod.namespace, names) as many:
        assert replies(many, len(names)) == len(names)
    assert daemon.counter("failed") == len(names)
    assert daemon.counter("in_line") == daemon.counter("waiting") == 0


def hold_back(upstream: FakeUpstream) -> None:
    def script(question: Question) -> bytes:
        return answer(question, f"@ A {zone.PUBLIC4}")
    upstream.script = script
    upstream.holding = True


@pytest.mark.slow
def test_a16_held_answers_do_not_come_down_at_once(daemon: Daemon, upstream: FakeUpstream,
                                                   pod: Pod, other_pod: Pod) -> None:
    daemon.load(manifests.service_entry("*.held.example", resolution="NONE"))
    hold_back(upstream)
    names = [f"n{i}.held.example" for i in range(100)]
    began = time.monotonic()
    with ask_many(pod.namespace, names) as many, ask_many(other_pod.namespace, ["one.held.example"]) as one:
        upstream.wait_asked(1, names[-1])
        upstream.wait_asked(1, "one.held.example")
        time.sleep(max(began + LATE_S - time.monotonic(), 0))
        upstream.release()
        assert replies(one, 1) == 1, "who has few waiting is answered, late or not"
        wait_until(lambda: daemon.counter("waiting") == 0, 5, "all questions have ended")
        assert replies(many, 0) <= LATE_CROWD
    assert daemon.counter("late") >= len(names) - LATE_CROWD


@pytest.mark.slow
def test_what_waited_too_long_to_be_read_is_dropped(daemon: Daemon, pod: Pod) -> None:
    daemon.load(manifests.service_entry(NAME))
    assert ask(pod.namespace, NAME).addresses()
    with ask_many(pod.namespace, []) as s:
        for wait_s, dropped in ((0, 0), (STALE_S, 2 * BATCH)):
            daemon.signal(signal.SIGSTOP)
            for _ in range(CROWD):
                s.send(make_query(NAME).to_wire())
            time.sleep(wait_s)
            daemon.signal(signal.SIGCONT)
            assert replies(s, CROWD - dropped) == CROWD - dropped
            assert daemon.counter("stale") == dropped


def test_a_crowd_is_let_gather(daemon: Daemon, pod: Pod) -> None:
    """Nobody is lost by it, and who comes next is heard."""
    daemon.configure({"pods": {"queriesPerSecond": 0}})
    daemon.load(manifests.service_entry(NAME))
    assert ask(pod.namespace, NAME).addresses()
    assert daemon.counter("udp_pauses") == 0
    with ask_many(pod.namespace, []) as s:
        for _ in range(3):
            daemon.signal(signal.SIGSTOP)
            for _ in range(2 * CROWD):
                s.send(make_query(NAME).to_wire())
            daemon.signal(signal.SIGCONT)
            assert replies(s, 2 * CROWD) == 2 * CROWD
            assert ask(pod.namespace, NAME).addresses()
    assert daemon.counter("udp_pauses") > 0
    assert daemon.counter("udp_unsent") == 0


def is_waiting(daemon: Daemon) -> bool:
    """Does somebody wait to be let in at the control socket?"""
    rows = daemon.lab.node.run("ss", "--no-header", "--unix", "--listening").stdout.splitlines()
    return any(int(row.split()[2]) > 0 for row in rows if "/egressd/" in row)


def test_a_full_socket_leaves_the_rest_its_turn(daemon: Daemon, pod: Pod) -> None:
    """Control, timers and what the kernel acknowledges come between its batches."""
    daemon.configure({"pods": {"queriesPerSecond": 0}})
    daemon.load(manifests.service_entry(NAME))
    assert ask(pod.namespace, NAME).addresses()
    before = daemon.counter("queries")
    daemon.signal(signal.SIGSTOP)
    query = make_query(NAME).to_wire()
    with ask_many(pod.namespace, []) as s:
        for _ in range(FULL):
            s.send(query)
        with daemon.lab.node.start(str(daemon.egressctl), "status", "--json",
                                   stdout=subprocess.PIPE) as status:
            wait_until(lambda: is_waiting(daemon), 5, "egressctl's connection")
            daemon.signal(signal.SIGCONT)
            told = json.loads(status.communicate()[0])
        assert told["queries"] - before < FULL / 2


FLOODS = {"listed": NAME, "unlisted": "unlisted.example", "random": "random.unlisted.example",
          "wildcard": "random.wild.example"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FLOODS)
def test_a12_a_flood_loses_nobody_else_a_lookup(daemon: Daemon, pod: Pod, other_pod: Pod,
                                                programs: Programs, lab: Lab, kind: str) -> None:
    daemon.load(manifests.service_entry(NAME),
                manifests.service_entry("*.wild.example", resolution="NONE"))
    assert ask(other_pod.namespace, NAME).addresses()
    flood = pod.namespace.start(programs.flood, NODE_LOCAL4, str(FLOOD_S), "3000000",
                                FLOODS[kind], stdout=subprocess.PIPE)
    steady = other_pod.namespace.start(
        sys.executable, str(STEADY), NODE_LOCAL4, other_pod.v4, "500", str(FLOOD_S - 1), "0",
        NAME, stdout=subprocess.PIPE)
    said = json.loads(steady.communicate(timeout=60)[0].splitlines()[-1])
    sent = int(flood.communicate(timeout=60)[0])
    assert sent > 50000, "that was no flood"
    assert said["lost"] == 0 and said["rcodes"] == {"0": 500 * (FLOOD_S - 1)}, said
    print(f"{kind}: {sent} in {FLOOD_S} s beside; slowest {said['slowest_ms']} ms")


@pytest.mark.slow
def test_a14_connections_of_one_pod_leave_room_for_others(daemon: Daemon, pod: Pod,
                                                          other_pod: Pod) -> None:
    daemon.load(manifests.service_entry(NAME))
    held = []
    try:
        for i in range(300):
            s = open_tcp(pod.namespace, NODE_LOCAL4)
            held.append(s)
            s.sendall(b"\x00" if i % 2 else frame(make_query(NAME).to_wire())[:-1])
        assert ask(other_pod.namespace, NAME, tcp=True).addresses() == [zone.GOOGLE4]
        assert daemon.counter("tcp_connections") <= 64
        assert daemon.counter("tcp_turned_away") >= 300 - 64
    finally:
        for s in held:
            s.close()
