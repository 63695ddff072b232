# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the daemon, under load, the witness finds nothing.

Each test is a number of turns of one kind. What a turn does is chosen by chance, from the
seed that is printed first; --full (make chaos) is the full number of them.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import manifests
import netlink
import reach
import zone
from conftest import Programs
from daemon import Daemon, wait_for_end, wait_until
from dnsclient import ask
from internet import SINK_PORT
from lab import Lab
from proof import Proof
from storm import Storm

pytestmark = pytest.mark.slow

SEED = 20261
FULL = {"kills": 1000, "reloads": 2000, "losses": 500, "full sets": 50, "rulesets": 100}
SMALL = {"kills": 60, "reloads": 150, "losses": 60, "full sets": 6, "rulesets": 6}
NAMES = 512
GROUPS = 8  # of NAMES, each an entry of its own
RATE = 150  # of each pod and family, a second
RATE_KILLED = 600  # leases end and begin while a new daemon reads them back
RATE_HIGH = 1500  # more than is answered
NICE = 10  # of a loop that others keep from its processor
DELAY_MAX_S = 0.03  # before a turn does what it does
LIFE_MAX_S = 0.3  # of a daemon that is to be killed
# Short lives, so that many leases begin and end in a test.
LEASES = {"floor": "1s", "grace": "1s", "cap": "4s"}
FULL_SIZE = 64
RULES_MAX = 20000


def group(number: int) -> manifests.Manifest:
    """The names of one group, each by itself."""
    each = NAMES // GROUPS
    hosts = [zone.burst_name(i) for i in range(number * each, (number + 1) * each)]
    return manifests.service_entry(*hosts, ports=[(SINK_PORT, "TCP")], resolution="NONE",
                                   name=f"group-{number}")


ALL = [group(number) for number in range(GROUPS)]


class Scene:
    """The daemon under a storm and under the witness' eyes."""

    def __init__(self, daemon: Daemon, lab: Lab, programs: Programs, judge: Path,
                 turns: dict[str, int]) -> None:
        self.daemon = daemon
        self.lab = lab
        self.turns = turns
        self.chance = random.Random(SEED)
        self.done: Counter[str] = Counter()
        self._begun = time.monotonic()
        self._program = programs.storm
        self.proof = Proof(lab, judge)
        self._storm: Storm | None = None

    def start(self, rate: int = RATE, **config: object) -> None:
        self.daemon.configure({"lease": LEASES, **config})
        self.daemon.register(*ALL)
        self.daemon.start()
        self._storm = Storm(self.lab, self._program, NAMES, rate, SEED)

    def some_time(self, most_s: float = DELAY_MAX_S) -> None:
        """A moment by chance, which is the point here: nothing is waited for."""
        time.sleep(self.chance.random() * most_s)

    def end(self, what: str) -> None:
        """Nothing was found, and the daemon does its work."""
        assert self._storm is not None
        load = self._storm.end()
        self.daemon.load(*ALL)
        for pod in self.lab.pods:
            address = ask(pod.namespace, zone.burst_name(0)).addresses()[0]
            assert reach.connect(pod.namespace, address, SINK_PORT).result == "ok"
        seen = self.proof.end()
        print(f"chaos: {what}, seed {SEED}: {dict(self.done)} in "
              f"{time.monotonic() - self._begun:.0f} s; storm {dict(load)}; {seen}")
        self.proof.nothing_found()
        assert load["unlisted"] == load["outside"] == 0, load
        assert load["connected"] > 0 and seen.opened > 0

    def close(self) -> None:
        if self._storm:
            self._storm.kill()
        self.proof.close()


@pytest.fixture
def scene(installed: Daemon, lab: Lab, programs: Programs, judge: Path,
          pytestconfig: pytest.Config) -> Iterator[Scene]:
    made = Scene(installed, lab, programs, judge,
                 FULL if pytestconfig.getoption("--full") else SMALL)
    print(f"seed {SEED}")
    yield made
    made.close()


def kill(scene: Scene) -> None:
    """One process, which takes the other with it; then a new daemon with what was left."""
    daemon = scene.daemon
    victim = scene.chance.choice(("loop", "enforcer"))
    processes = [os.pidfd_open(daemon.pid), os.pidfd_open(daemon.enforcer_pid)]
    signal.pidfd_send_signal(processes[victim == "enforcer"], signal.SIGKILL)
    daemon.wait()
    for fd in processes:
        wait_for_end(fd, "one process lives on without the other")
        os.close(fd)
    scene.done[victim] += 1
    scene.some_time()
    daemon.start()


def test_kill_9(scene: Scene) -> None:
    scene.start(RATE_KILLED)
    for _ in range(scene.turns["kills"]):
        scene.some_time(LIFE_MAX_S)
        kill(scene)
    scene.end("kill -9")


def test_a_kill_loses_no_lease(scene: Scene) -> None:
    """Those with some time left: with them a pod goes on without asking again."""
    scene.start()
    for _ in range(max(1, scene.turns["kills"] // 50)):
        wait_until(scene.daemon.leases, 5, "leases")
        scene.some_time()
        begun = time.monotonic()
        held = scene.daemon.leases()
        kill(scene)
        there = {(e.pod, e.destination) for e in scene.daemon.leases()}
        needed_s = time.monotonic() - begun + 1  # a lease's seconds are whole ones
        lost = [e for e in held if e.expires_s > needed_s
                and (e.pod, e.destination) not in there]
        assert not lost, lost
        scene.done["kept"] += sum(e.expires_s > needed_s for e in held)
    assert scene.done["kept"] > 0
    scene.end("leases over kill -9")


BROKEN = ("{", '{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry"}',
          "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\n"
          "spec: {hosts: ['a b'], ports: [{number: 70000, name: x}]}\n")


def reload(scene: Scene, present: set[int]) -> None:
    """Some groups come, some go; or something broken comes, and nothing happens."""
    daemon = scene.daemon
    if scene.chance.random() < 0.25:
        daemon.write("broken.yaml", scene.chance.choice(BROKEN))
        daemon.reload("reload_failed")
        daemon.remove("broken.yaml")
        scene.done["broken"] += 1
        return
    number = scene.chance.randrange(GROUPS)
    present ^= {number}
    scene.done["added" if number in present else "removed"] += 1
    daemon.register(*(ALL[i] for i in sorted(present)))
    daemon.reload()


def test_reloads(scene: Scene) -> None:
    """So much at once that answers wait to be sent when a reload withdraws their leases."""
    scene.start(RATE_HIGH)
    os.setpriority(os.PRIO_PROCESS, scene.daemon.pid, NICE)
    present = set(range(GROUPS))
    for _ in range(scene.turns["reloads"]):
        scene.some_time()
        reload(scene, present)
    scene.end("reloads")


# What is tried with the table, by its netlink message, and on what of it.
LOSSES = (("NEWTABLE", {}), ("DELTABLE", {}), ("DELCHAIN", {"chain": "egress"}),
          ("DELRULE", {}), ("DELRULE", {"chain": "pod"}), ("NEWRULE", {"chain": "egress"}),
          ("DELSET", {"name": "leases4"}), ("DELSETELEM", {"name": "leases4"}),
          ("DELSETELEM", {"name": "leases6"}), ("DELSETELEM", {"name": "pods4"}))
FLUSHES = 0.3  # of the turns: nft flush ruleset, by the program


def test_flushes_and_deletions(scene: Scene) -> None:
    """By another program; the kernel keeps the table for its owner."""
    scene.start()
    pod = scene.lab.pods[0].namespace
    for _ in range(scene.turns["losses"]):
        scene.some_time()
        if scene.chance.random() < FLUSHES:
            scene.lab.node.run("nft", "flush", "ruleset", check=True)
            scene.done["flush ruleset"] += 1
        else:
            kind, of = scene.chance.choice(LOSSES)
            assert netlink.change(scene.lab.node, kind, **of) == errno.EPERM
            scene.done[kind] += 1
        assert reach.connect(pod, zone.UNLISTED4, SINK_PORT).refused_at_once
    scene.end("flushes and deletions")


def count(daemon: Daemon) -> int:
    return len(daemon.leases())


def test_full_sets(scene: Scene) -> None:
    """Filled to the last element, kept so for a while, emptied by a reload, again."""
    scene.start(lease={**LEASES, "size": FULL_SIZE})
    for _ in range(scene.turns["full sets"]):
        wait_until(lambda: count(scene.daemon) >= FULL_SIZE - 1, 20, "a full set")
        scene.some_time()
        assert count(scene.daemon) <= 2 * FULL_SIZE  # leases4 and leases6
        scene.daemon.load()
        assert count(scene.daemon) == 0
        scene.daemon.load(*ALL)
        scene.done["full"] += 1
    scene.end("full sets")


def foreign(number: int, chance: random.Random) -> str:
    """A neighbour's table: many rules, or chains that accept all at any priority."""
    kind = chance.choice(("ip", "ip6", "inet"))
    if chance.random() < 0.5:
        rules = "\n".join(f"    tcp dport {1 + i % 65535} counter accept"
                          for i in range(chance.choice((200, 2000, RULES_MAX))))
    else:
        rules = "    accept"
    hook, priority = chance.choice((("prerouting", chance.randint(-500, 500)),
                                    ("forward", chance.randint(-500, 500)),
                                    ("postrouting", chance.randint(-500, 500))))
    return f"""table {kind} foreign{number} {{
  chain c {{
    type filter hook {hook} priority {priority}; policy accept;
{rules}
  }}
}}
"""


def test_foreign_rulesets(scene: Scene) -> None:
    scene.start()
    node = scene.lab.node
    there: list[str] = []
    for number in range(scene.turns["rulesets"]):
        text = foreign(number, scene.chance)
        node.run("nft", "-f", "-", stdin=text, check=True, timeout=60)
        there.append(" ".join(text.split()[1:3]))
        scene.done[f"{len(text.splitlines()) - 5} rules"] += 1
        if len(there) > 3:
            node.run("nft", "delete", "table", *there.pop(0).split(), check=True, timeout=60)
        scene.some_time()
    for table in there:
        node.run("nft", "delete", "table", *table.split(), check=True, timeout=60)
    scene.end("foreign rulesets")


def test_all_at_once(scene: Scene) -> None:
    """Kills, reloads and a neighbour's flushes by turns; no flush while nobody owns it."""
    scene.start()
    present = set(range(GROUPS))

    def flush(s: Scene) -> None:
        s.lab.node.run("nft", "flush", "ruleset", check=True)
        s.done["flush"] += 1

    turns: list[Callable[[Scene], None]] = [kill, lambda s: reload(s, present), flush]
    for _ in range(scene.turns["losses"]):
        scene.some_time()
        scene.chance.choice(turns)(scene)
    scene.end("all at once")
