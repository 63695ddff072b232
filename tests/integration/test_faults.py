# SPDX-License-Identifier: Apache-2.0
"""System calls to netlink that fail, one by one (attack A25), and allocations (A30): no answer
leaves without its lease, no lease stays that nothing allows, and all works again at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from errno import EAGAIN, EINTR, ENOBUFS, ENOMEM, EPERM
from itertools import count

import pytest

import manifests
from daemon import RELOAD_DEADLINE_S, Daemon, is_event, wait_until
from dnsclient import ask
from fake_upstream import FakeUpstream, Question, addresses
from faults import ALLOCATE, LOSE, RECEIVE, SEND, Faults
from lab import Pod

ERRORS = {"ENOBUFS": ENOBUFS, "EINTR": EINTR, "EAGAIN": EAGAIN, "EPERM": EPERM, "ENOMEM": ENOMEM}
PLANS = [pytest.param(call, error, id=f"{name}-{text}")
         for name, call in (("send", SEND), ("receive", RECEIVE)) for text, error in ERRORS.items()
         ] + [pytest.param(LOSE, ENOBUFS, id="lose-ENOBUFS")]
ENTRY = manifests.service_entry("*.example", resolution="NONE")
OTHER = manifests.service_entry("*.example.net", resolution="NONE")
ONCE, SOME, ALL = 1, 6, 1 << 31
RECOVERY_S = 1
NTH_MAX = 400


def address_of(name: str) -> str:
    """Of n12.example, and no other one's."""
    number = int(name.split(".")[0][1:])
    return f"198.51.{100 + number // 250}.{1 + number % 250}"


def script(q: Question) -> bytes:
    return addresses(q, address_of(q.name), "2001:db8::1")


@pytest.fixture
def listed(faults: Faults, daemon: Daemon, upstream: FakeUpstream) -> Daemon:
    """Started with faults."""
    upstream.script = script
    daemon.load(ENTRY)
    return daemon


def look_up(daemon: Daemon, pod: Pod, number: int) -> bool:
    """Answered, with its lease; or SERVFAIL."""
    reply = ask(pod.namespace, f"n{number}.example")
    if reply.rcode == "SERVFAIL":
        return False
    assert reply.rcode == "NOERROR"
    assert reply.addresses() == [address_of(f"n{number}.example")]
    assert daemon.leased(pod.v4, reply.addresses(), 443)
    return True


def recover(daemon: Daemon, pod: Pod, numbers: Iterator[int]) -> None:
    wait_until(lambda: look_up(daemon, pod, next(numbers)), RECOVERY_S, "an answer")


def stands(daemon: Daemon) -> bool:
    return daemon.status()["table"] == "standing"


def forget_all(daemon: Daemon) -> None:
    """What the daemon knows goes with the registry: nothing stays that it does not know."""
    wait_until(lambda: stands(daemon), RECOVERY_S, "the table")
    daemon.load(OTHER)
    assert daemon.leases() == []


def each_fails(faults: Faults, call: int, error: int, work: Callable[[], None],
               how_many: int = ONCE, process: int = 0) -> None:
    """Work again and again, each time with the next call failing, and those behind it, until
    none does."""
    for nth in range(1, NTH_MAX):
        faults.arm(call, error, nth, count=how_many, process=process)
        work()
        if not faults.disarm():
            assert nth > 1, "there is no such call"
            return
    pytest.fail(f"more than {NTH_MAX} calls")


@pytest.mark.parametrize("how_many", [ONCE, SOME], ids=["one", "some"])
@pytest.mark.parametrize("call, error", PLANS)
def test_a25_lookups(listed: Daemon, faults: Faults, pod: Pod, call: int, error: int,
                     how_many: int) -> None:
    """Some: the acknowledgement of a commit, and what the kernel holds cannot be read either."""
    numbers = count()

    def work() -> None:
        look_up(listed, pod, next(numbers))
        recover(listed, pod, numbers)

    each_fails(faults, call, error, work, how_many)
    forget_all(listed)


def stands_with(daemon: Daemon, *leases: set[str]) -> bool:
    return stands(daemon) and {e.destination for e in daemon.leases()} in leases


@pytest.mark.parametrize("call, error", PLANS)
def test_a25_reloads(listed: Daemon, faults: Faults, pod: Pod, call: int, error: int) -> None:
    """The leases go, or the registry stays as it was and they with it; unless only the word was
    lost that they are gone: then they are gone."""
    def work() -> None:
        mark = listed.log.mark()
        listed.register(OTHER)
        listed.signal(signal.SIGHUP)
        told = listed.log.wait_for(is_event("reloaded", "reload_failed"), since=mark)
        faults.disarm()
        may = [old] if told["event"] == "reload_failed" else [none]
        if call != SEND:
            may.append(none)
        wait_until(lambda: stands_with(listed, *may), RECOVERY_S, "the leases and the table")
        listed.load(ENTRY)
        assert look_up(listed, pod, 0)

    none, old = set(), {address_of("n0.example")}
    assert look_up(listed, pod, 0)
    each_fails(faults, call, error, work)


@pytest.mark.slow
@pytest.mark.parametrize("call, error", PLANS)
def test_a25_starts(listed: Daemon, faults: Faults, pod: Pod, call: int, error: int) -> None:
    """It is ready with all leases that stand, or ends and leaves them to the next."""
    def work() -> None:
        listed.spawn()
        try:
            listed.becomes_ready()
        except AssertionError:
            assert listed.wait() != 0
            listed.start()
        wait_until(lambda: stands_with(listed, {address_of("n0.example")}), RECOVERY_S, "the lease")
        listed.stop()

    assert look_up(listed, pod, 0)
    listed.stop()
    each_fails(faults, call, error, work)


def processes(daemon: Daemon) -> dict[str, int]:
    return {"loop": daemon.pid, "enforcer": daemon.enforcer_pid}


@pytest.mark.parametrize("how_many", [ONCE, ALL], ids=["one", "all"])
def test_a30_allocations_of_a_lookup(listed: Daemon, faults: Faults, pod: Pod,
                                     how_many: int) -> None:
    """A commit takes the enforcer none."""
    numbers = count()
    before = processes(listed)
    faults.arm(ALLOCATE, ENOMEM, process=before["enforcer"])
    assert look_up(listed, pod, next(numbers))
    assert not faults.disarm()

    def work() -> None:
        look_up(listed, pod, next(numbers))
        faults.disarm()
        recover(listed, pod, numbers)

    each_fails(faults, ALLOCATE, ENOMEM, work, how_many, before["loop"])
    assert processes(listed) == before
    forget_all(listed)


@pytest.mark.slow
@pytest.mark.parametrize("how_many", [ONCE, ALL], ids=["one", "all"])
@pytest.mark.parametrize("process", ["loop", "enforcer"])
def test_a30_allocations_of_a_reload(listed: Daemon, faults: Faults, pod: Pod, process: str,
                                     how_many: int) -> None:
    """There are thousands: the first ones and some of the others."""
    before = processes(listed)
    nth = 1
    while True:
        assert look_up(listed, pod, 0)
        listed.register(OTHER)
        faults.arm(ALLOCATE, ENOMEM, nth, count=how_many, process=before[process])
        said = listed.notify.mark()
        listed.signal(signal.SIGHUP)
        listed.notify.wait("READY=1", said, RELOAD_DEADLINE_S, listed.alive)
        if not faults.disarm():
            break
        forget_all(listed)
        listed.load(ENTRY)
        nth += 1 + nth // 10
    assert nth > 1
    assert processes(listed) == before
