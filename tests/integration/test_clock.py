# SPDX-License-Identifier: Apache-2.0
"""Clocks that jump, and clocks that begin elsewhere (attack A28): what lasts is measured by the
monotonic clock, or by the kernel."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import manifests
import zone
from daemon import Daemon, Record, is_event, wait_until
from dnsclient import ask, ask_many, make_query, replies
from lab import Pod
from namespace import MORTAL

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), Path("/no/libfaketime"))
OFFSET = "/run/faketime"
YEARS = 10
SLACK_S = 5
CROWD = 6 * 64  # more full batches than are taken for a burst
TRUST_S = 4.3  # more than UDP_STALE_MS


@pytest.fixture
def launched(installed: Daemon) -> Iterator[Daemon]:
    """To be started with a launcher."""
    installed.register(manifests.service_entry("google.com"), manifests.service_entry(
        "four.example.com"))
    yield installed
    installed.kill()


def expires_s(daemon: Daemon, address: str) -> int:
    return next(e.expires_s for e in daemon.leases() if e.destination == address)


def work(daemon: Daemon) -> list[int]:
    """What a lease or an answer that has ended too early makes."""
    status = daemon.status()
    return [status[name] for name in ("cache_misses", "commits")]


def year(record: Record) -> int:
    return int(record["time"][:4])


def refused(daemon: Daemon, pod: Pod, name: str) -> Record:
    mark = daemon.log.mark()
    assert ask(pod.namespace, name).rcode == "NXDOMAIN"
    return daemon.log.wait_for(is_event("refused_lookup"), since=mark)


def faked_time() -> tuple[str, ...]:
    """A launcher under which the file OFFSET sets the time of day."""
    assert LIBRARY.exists(), "install libfaketime"
    return ("env", f"LD_PRELOAD={LIBRARY}", f"FAKETIME_TIMESTAMP_FILE={OFFSET}",
            "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1")


@pytest.mark.parametrize("years", [YEARS, -YEARS], ids=["forward", "backward"])
def test_a28_the_wall_clock_jumps(launched: Daemon, pod: Pod, years: int) -> None:
    """Nothing but the time in the journal notices, neither at once nor after a restart."""
    launched.launcher = faked_time()
    launched.lab.node.write(OFFSET, "+0d")
    launched.start()
    told = ask(pod.namespace, "google.com")
    left_s = expires_s(launched, zone.GOOGLE4)
    now = year(refused(launched, pod, "before.example"))
    done = work(launched)
    launched.lab.node.write(OFFSET, f"{years * 365:+}d")
    assert abs(year(refused(launched, pod, "after.example")) - now - years) <= 1
    ask(pod.namespace, "google.com")
    assert work(launched) == done
    for _ in range(2):
        assert ask(pod.namespace, "four.example.com").addresses() == [zone.PUBLIC4]
        again = ask(pod.namespace, "google.com")
        assert told.ttl - SLACK_S <= again.ttl <= told.ttl
        assert left_s - SLACK_S <= expires_s(launched, zone.GOOGLE4) <= left_s
        launched.reload()
        launched.stop()
        launched.start()


@pytest.mark.slow
def test_a28_what_waits_while_the_clock_is_set_is_answered(launched: Daemon, pod: Pod) -> None:
    """The kernel notes the time of day with what waits to be read."""
    launched.launcher = faked_time()
    launched.lab.node.write(OFFSET, "+0d")
    launched.start()
    ask(pod.namespace, "google.com")
    with ask_many(pod.namespace, []) as s:
        for offset in ("+0d", f"+{YEARS * 365}d"):
            launched.signal(signal.SIGSTOP)
            for _ in range(CROWD):
                s.send(make_query("google.com").to_wire())
            launched.lab.node.write(OFFSET, offset)
            launched.signal(signal.SIGCONT)
            assert replies(s, CROWD) == CROWD
            time.sleep(TRUST_S)
    assert launched.counter("stale") == 0


@contextmanager
def clock(monotonic_s: int) -> Iterator[tuple[str, ...]]:
    """A time namespace whose clock stands there; the launcher that enters it."""
    offset = str(monotonic_s - int(time.monotonic()))
    with subprocess.Popen(
            [*MORTAL, "unshare", "--time", "--monotonic", offset, "--boottime", offset, "--fork",
             "--kill-child", "sh", "-c", "echo $$; exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        try:
            pid = int(holder.stdout.readline())
            yield ("nsenter", f"--time=/proc/{pid}/ns/time", "--")
        finally:
            holder.kill()  # which is waited for, whatever happened


def test_a28_the_clock_begins_elsewhere_after_a_restart(launched: Daemon, pod: Pod) -> None:
    launched.start()
    ask(pod.namespace, "google.com")
    left_s = expires_s(launched, zone.GOOGLE4)
    for monotonic_s in (1, 1_000_000_000, 1000):
        with clock(monotonic_s) as launched.launcher:
            launched.stop()
            launched.start()
            assert left_s - SLACK_S <= expires_s(launched, zone.GOOGLE4) <= left_s
            assert work(launched) == [0, 0]
            assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
            assert launched.leased(pod.v4, [zone.GOOGLE4], 443)


@pytest.mark.parametrize("bits", [31, 32])
def test_a28_milliseconds_pass_a_power_of_two(launched: Daemon, pod: Pod, bits: int) -> None:
    """What was answered before is as good behind it, and counts down."""
    end_s = 2**bits / 1000
    begin_s = int(end_s) - 1
    with clock(begin_s) as launched.launcher:
        passed = int(time.monotonic()) + end_s - begin_s
        launched.start()
        told = ask(pod.namespace, "google.com")
        left_s = expires_s(launched, zone.GOOGLE4)
        done = work(launched)
        wait_until(lambda: time.monotonic() > passed, 3, "the clock's passing")
        wait_until(lambda: ask(pod.namespace, "google.com").ttl < told.ttl, 3, "a lower TTL")
        assert ask(pod.namespace, "google.com").ttl >= told.ttl - SLACK_S
        assert left_s - SLACK_S <= expires_s(launched, zone.GOOGLE4) <= left_s
        assert work(launched) == done
        assert ask(pod.namespace, "four.example.com").addresses() == [zone.PUBLIC4]
        launched.reload()
