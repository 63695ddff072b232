# SPDX-License-Identifier: Apache-2.0
"""Sudden ends: the table stands, the leases live, nothing unlisted leaves."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

import pytest

import manifests
import nft
import reach
import zone
from conftest import Programs
from daemon import Daemon, wait_for_end
from dnsclient import ask, node_local
from internet import SINK_PORT
from lab import Lab, Pod
from witness import Witness, is_node_complaint, to, within

ENTRIES = [manifests.service_entry("google.com"),
           manifests.service_entry("*.burst.example.com", ports=[(SINK_PORT, "TCP")],
                                   resolution="NONE")]
LOAD = 20000  # more than is answered before the end


def kill_loop(daemon: Daemon) -> None:
    os.kill(daemon.pid, signal.SIGKILL)


def kill_enforcer(daemon: Daemon) -> None:
    os.kill(daemon.enforcer_pid, signal.SIGKILL)


VICTIMS = pytest.mark.parametrize("victim", [kill_loop, kill_enforcer], ids=["loop", "enforcer"])


@VICTIMS
def test_killed_under_load(daemon: Daemon, lab: Lab, pod: Pod, programs: Programs,
                           witness: Witness, victim: Callable[[Daemon], None]) -> None:
    daemon.load(*ENTRIES)
    for family, rdtype in ((4, "A"), (6, "AAAA")):
        ask(pod.namespace, "google.com", rdtype, server=node_local(family))
    mark = witness.mark()
    load = [p.namespace.start(programs.burst, node_local(4), "4", str(SINK_PORT),
                              str(i * 5000), str(LOAD), "burst.example.com",
                              stdout=subprocess.PIPE)
            for i, p in enumerate(lab.pods)]
    ask(pod.namespace, "n19999.burst.example.com")  # load is under way
    processes = [os.pidfd_open(daemon.pid), os.pidfd_open(daemon.enforcer_pid)]
    victim(daemon)
    daemon.wait()
    for fd in processes:
        wait_for_end(fd, "one process lives on without the other")
        os.close(fd)
    for process in load:
        process.kill()
        process.wait()
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"
    assert reach.connect(pod.namespace, zone.GOOGLE6, 443).result == "ok"
    for address in (zone.UNLISTED4, zone.UNLISTED6):
        assert reach.connect(pod.namespace, address, 443).refused_at_once
    held = set(daemon.leases())
    daemon.start()
    known = {(e.pod, e.destination, e.port) for e in daemon.leases()}
    assert {(e.pod, e.destination, e.port) for e in held if e.expires_s > 5} <= known
    listed = daemon.ctl("leases")
    assert listed.returncode == 0 and zone.GOOGLE4 in listed.stdout
    assert zone.GOOGLE6 in listed.stdout
    assert ask(pod.namespace, "four.example.com").rcode == "NXDOMAIN"
    fresh = ask(lab.pods[1].namespace, "google.com").addresses()
    assert reach.connect(lab.pods[1].namespace, fresh[0], 443).result == "ok"
    witness.only(mark, to([zone.GOOGLE4, zone.GOOGLE6], 443), within(zone.BURST4, SINK_PORT),
                 is_node_complaint)


@VICTIMS
def test_the_exit_status_tells_a_supervisor(daemon: Daemon,
                                            victim: Callable[[Daemon], None]) -> None:
    victim(daemon)
    assert daemon.wait() != 0


def test_a_stop_leaves_the_table(daemon: Daemon, pod: Pod, lab: Lab, witness: Witness) -> None:
    daemon.load(*ENTRIES)
    ask(pod.namespace, "google.com")
    mark = witness.mark()
    assert daemon.stop() == 0
    assert nft.table(lab.node) is not None
    assert daemon.leased(pod.v4, [zone.GOOGLE4], 443)
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).result == "ok"
    assert reach.connect(pod.namespace, zone.UNLISTED4, 443).refused_at_once
    witness.only(mark, to([zone.GOOGLE4], 443))


def test_a_restart_judges_anew(daemon: Daemon, pod: Pod) -> None:
    """What the registry lost while nobody was there is withdrawn at the start."""
    daemon.load(*ENTRIES)
    ask(pod.namespace, "google.com")
    daemon.stop()
    daemon.register()
    daemon.start()
    assert daemon.leases() == []
    assert reach.connect(pod.namespace, zone.GOOGLE4, 443).refused_at_once


def test_teardown_is_refused_while_running(daemon: Daemon, lab: Lab) -> None:
    refused = daemon.ctl("teardown")
    assert refused.returncode != 0 and refused.stderr.strip()
    assert daemon.alive() and nft.table(lab.node) is not None


def test_teardown_removes_the_table(daemon: Daemon, lab: Lab, pod: Pod) -> None:
    daemon.stop()
    assert reach.connect(pod.namespace, zone.UNLISTED4, 443).refused_at_once
    done = daemon.ctl("teardown")
    assert done.returncode == 0, done.stderr
    assert nft.table(lab.node) is None
    assert reach.connect(pod.namespace, zone.UNLISTED4, 443).result == "ok"


@pytest.mark.parametrize("element", ["icmp . 0 timeout 1h", "tcp . 443", "tcp . 443 timeout 1h"])
def test_what_others_wrote_meanwhile_goes(daemon: Daemon, lab: Lab, pod: Pod,
                                          element: str) -> None:
    """While nobody owned the table: whatever it is, it neither stays nor stops the start."""
    daemon.load(manifests.service_entry("google.com"))
    assert ask(pod.namespace, "google.com").addresses() == [zone.GOOGLE4]
    daemon.stop()
    lab.node.run("nft", "add", "element", *nft.TABLE, "leases4",
                 f"{{ {pod.v4} . 192.0.2.9 . {element} }}", check=True)
    daemon.start()
    listed = lab.node.run("nft", "list", "set", *nft.TABLE, "leases4", check=True).stdout
    assert "192.0.2.9" not in listed and zone.GOOGLE4 in listed
