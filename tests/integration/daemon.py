# SPDX-License-Identifier: Apache-2.0
"""The daemon under test: started, told, asked and ended as an operator and systemd would."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import manifests
import netlink
import nft
from lab import Lab
from pace import PACE

CONFIG = "/etc/egressd/egressd.yaml"
UNBOUNDED = {"wildcardNamesPerMinute": 0, "wildcardBytesPerMinute": "0"}
REGISTRY = "/etc/egressd/registry.d"
START_DEADLINE_S = 10.0 * PACE
RELOAD_DEADLINE_S = 10.0 * PACE
STOP_DEADLINE_S = 10.0 * PACE

Record = dict[str, Any]


def wait_until(condition: Callable[[], Any], deadline_s: float, what: str) -> Any:
    """For what sends no notification. Returns the condition's first true value."""
    end = time.monotonic() + deadline_s * PACE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        time.sleep(0.005)


def wait_for_end(pidfd: int, complaint: str, deadline_s: float = STOP_DEADLINE_S) -> None:
    ended, _, _ = select.select([pidfd], [], [], deadline_s)
    if not ended:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    assert ended, complaint


class Notify:
    """systemd's side of sd_notify(3), on an abstract socket of the node; read at once."""

    _numbers = itertools.count()

    def __init__(self, lab: Lab) -> None:
        self.name = f"egressd-test-{os.getpid()}-{next(self._numbers)}"
        self._socket = lab.node.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.name)
        self._words: list[str] = []
        self._arrived = threading.Condition()
        self._attentive = threading.Event()
        self._attentive.set()
        self._thread = threading.Thread(target=self._read, name="notify", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while words := self._socket.recv(4096).decode().splitlines():
            self._attentive.wait()
            with self._arrived:
                self._words += words
                self._arrived.notify_all()

    def close(self) -> None:
        """An empty datagram is the end, as no daemon sends one."""
        self.heed(True)
        self._socket.sendto(b"", "\0" + self.name)
        self._thread.join()
        self._socket.close()

    def heed(self, attentive: bool) -> None:
        """Read what comes, or be a manager that hangs."""
        (self._attentive.set if attentive else self._attentive.clear)()

    def mark(self) -> int:
        with self._arrived:
            return len(self._words)

    def wait(self, word: str, since: int, deadline_s: float, alive: Callable[[], bool]) -> None:
        """Looks after the process now and then: a dead one sends nothing."""
        end = time.monotonic() + deadline_s
        with self._arrived:
            while word not in self._words[since:] and alive() and time.monotonic() < end:
                self._arrived.wait(0.05)
            assert word in self._words[since:], f"the daemon did not say {word}"


class Log:
    """The daemon's standard error: JSON records, and plain lines beside them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.records: list[Record] = []
        self.lines: list[str] = []
        self._arrived = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._thread.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                with self._arrived:
                    self.lines.append(line.rstrip("\n"))
                    if line.startswith("{"):
                        self.records.append(json.loads(line))
                    self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def mark(self) -> int:
        with self._arrived:
            return len(self.records)

    def since(self, mark: int, event: str | None = None) -> list[Record]:
        with self._arrived:
            return [r for r in self.records[mark:] if event in (None, r["event"])]

    def wait_for(self, predicate: Callable[[Record], bool], deadline_s: float = 5,
                 since: int = 0) -> Record:
        deadline_s *= PACE

        def find() -> Record | None:
            return next((r for r in self.records[since:] if predicate(r)), None)

        with self._arrived:
            self._arrived.wait_for(lambda: find() or self._ended, deadline_s)
            found = find()
            assert found, "no such record; the last ones are:\n" + "\n".join(self.lines[-10:])
            return found

    def text(self) -> str:
        self._thread.join(START_DEADLINE_S)
        return "\n".join(self.lines)


def is_event(*events: str) -> Callable[[Record], bool]:
    return lambda r: r["event"] in events


class Daemon:
    def __init__(self, lab: Lab, egressd: Path, egressctl: Path) -> None:
        self.lab = lab
        self.egressd = egressd
        self.egressctl = egressctl
        self.process: subprocess.Popen[str] | None = None
        self.log: Log  # set by spawn
        self.launcher: tuple[str, ...] = ()  # which runs what stands behind it
        self.notify = Notify(lab)
        lab.node.path(REGISTRY).mkdir(parents=True, exist_ok=True)
        lab.node.path("/run/egressd").mkdir(exist_ok=True)

    # Files

    def configure(self, config: dict[str, Any] | str | None) -> None:
        """Write the configuration; None: the node has none. Takes effect at the next load.

        A pod of the tests may ask for any number of names, unless config says how many."""
        path = self.lab.node.path(CONFIG)
        if config is None:
            path.unlink(missing_ok=True)
        else:
            text = config if isinstance(config, str) else json.dumps(
                config | {"pods": UNBOUNDED | config.get("pods", {})})
            self.lab.node.write(CONFIG, text)

    def write(self, name: str, text: str) -> None:
        self.lab.node.write(f"{REGISTRY}/{name}", text)

    def remove(self, name: str) -> None:
        self.lab.node.path(f"{REGISTRY}/{name}").unlink()

    def register(self, *entries: manifests.Manifest, mode: str | None = "REGISTRY_ONLY") -> None:
        """Make these the whole registry; loaded at the next reload or start."""
        folder = self.lab.node.path(REGISTRY)
        for old in list(folder.iterdir()):
            old.unlink()
        for i, manifest in enumerate([manifests.policy(mode), *entries]):
            self.write(f"{i:05d}.json", json.dumps(manifest))

    # Life

    def spawn(self, *arguments: str) -> None:
        self._said = self.notify.mark()
        self.process = self.lab.node.start(
            *self.launcher, "env", f"NOTIFY_SOCKET=@{self.notify.name}", str(self.egressd),
            *arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.log = Log(self.process)

    def start(self) -> None:
        self.spawn()
        try:
            self.becomes_ready()
        except AssertionError as e:
            self.kill()
            raise AssertionError(f"{e}:\n{self.log.text()}") from None

    def becomes_ready(self) -> None:
        """AssertionError when it ends before that, or takes too long."""
        self.notify.wait("READY=1", self._said, START_DEADLINE_S, self.alive)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(p) for p in found.split()]

    @property
    def enforcer_pid(self) -> int:
        children = self.children()
        assert len(children) == 1, f"the daemon has children {children}"
        return children[0]

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, deadline_s: float = STOP_DEADLINE_S) -> int:
        assert self.process is not None
        return self.process.wait(deadline_s)

    def stop(self) -> int:
        """Returns when both processes have ended: until then the table has an owner."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End both processes; returns when both have ended, the enforcer by itself."""
        if not self.alive():
            return
        for pid in self.children():  # should a test have stopped it
            os.kill(pid, signal.SIGCONT)
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        """The loop by this signal, and its children by themselves; the loop's exit status."""
        children = [os.pidfd_open(p) for p in self.children()]
        self.signal(number)
        status = self.wait()
        for fd in children:
            wait_for_end(fd, "the enforcer lives on without its loop")
            os.close(fd)
        return status

    def reload(self, expect: str = "reloaded") -> Record:
        """SIGHUP, and wait until the daemon has both said how it went and is ready again."""
        mark, said = self.log.mark(), self.notify.mark()
        self.signal(signal.SIGHUP)
        record = self.log.wait_for(is_event("reloaded", "reload_failed"), RELOAD_DEADLINE_S, mark)
        assert record["event"] == expect, record
        self.notify.wait("READY=1", said, RELOAD_DEADLINE_S, self.alive)
        return record

    def load(self, *entries: manifests.Manifest, mode: str | None = "REGISTRY_ONLY") -> None:
        self.register(*entries, mode=mode)
        self.reload()

    def clean(self) -> None:
        """As on a node that has never seen us: no process, no table, no files."""
        self.kill()
        self.launcher = ()
        if self.ctl("teardown").returncode:
            self.lab.node.run("nft", "delete", "table", *nft.TABLE)
        assert nft.table(self.lab.node) is None, "the table cannot be removed"
        self.configure({})
        self.register(mode=None)

    # Questions

    def ctl(self, *arguments: str, timeout: float = 10) -> subprocess.CompletedProcess[str]:
        return self.lab.node.run(str(self.egressctl), *arguments, timeout=timeout)

    def status(self) -> dict[str, Any]:
        return json.loads(self.ctl("status", "--json").stdout)

    def counter(self, name: str) -> int:
        return self.status()[name]

    def leases(self) -> list[netlink.Element]:
        return netlink.leases(self.lab.node)

    def leased(self, pod: str, destinations: Sequence[str], port: int, proto: str = "tcp") -> bool:
        """Are all of these open to the pod?"""
        held = {(e.pod, e.destination, e.proto, e.port) for e in self.leases()}
        return all((pod, d, proto, port) in held for d in destinations)

    def sanitizer_reports(self) -> list[str]:
        """What a build with SAN= had to say."""
        if self.process is None:
            return []
        return [line for line in self.log.text().splitlines()
                if "Sanitizer" in line or "runtime error:" in line]

    def close(self) -> None:
        self.kill()
        self.notify.close()
