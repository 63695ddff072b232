# SPDX-License-Identifier: Apache-2.0
"""egressctl: what a running daemon says of itself."""

from __future__ import annotations

import manifests
import zone
from daemon import Daemon
from dnsclient import ask
from lab import Pod


def test_status_and_leases(daemon: Daemon, pod: Pod) -> None:
    daemon.load(manifests.service_entry("google.com"))
    ask(pod.namespace, "google.com")
    status = daemon.ctl("status")
    assert status.returncode == 0 and "REGISTRY_ONLY" in status.stdout
    leases = daemon.ctl("leases")
    line = next(x for x in leases.stdout.splitlines() if zone.GOOGLE4 in x)
    assert pod.v4 in line and "443" in line and "google.com" in line


def test_nobody_there(installed: Daemon) -> None:
    asked = installed.ctl("status")
    assert asked.returncode != 0 and asked.stderr.strip()


def test_wrong_usage(daemon: Daemon) -> None:
    assert daemon.ctl("nonsense").returncode != 0
    assert daemon.ctl().returncode != 0
    assert daemon.alive()


def test_a_second_daemon_does_not_start(daemon: Daemon, pod: Pod) -> None:
    second = daemon.lab.node.run(str(daemon.egressd))
    assert second.returncode != 0 and second.stderr.strip()
    assert ask(pod.namespace, "unlisted.example").rcode == "NXDOMAIN"
