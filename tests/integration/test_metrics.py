# SPDX-License-Identifier: Apache-2.0
"""The metrics port: as Prometheus reads it, and a kubelet's probes."""

from __future__ import annotations

import json
import socket

import manifests
import pytest
from daemon import Daemon
from dnsclient import ask
from lab import NODE_UPLINK4, NODE_UPLINK6, Pod
from prometheus_client.parser import text_string_to_metric_families

PORT = "127.0.0.1:9153"


def get(daemon: Daemon, path: str, at: str = PORT) -> tuple[int, str]:
    """HTTP status, 0 when nobody answers, and the body."""
    done = daemon.lab.node.run("curl", "-s", "--max-time", "5", "-w", "\n%{http_code}",
                               f"http://{at}{path}")
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def metrics(daemon: Daemon) -> dict[str, float]:
    status, page = get(daemon, "/metrics")
    assert status == 200
    families = list(text_string_to_metric_families(page))
    assert all(f.type in ("counter", "gauge") for f in families)
    return {s.name: s.value for f in families for s in f.samples}


def test_each_figure_of_the_status_is_a_metric(daemon: Daemon, pod: Pod) -> None:
    daemon.load(manifests.service_entry("google.com"))
    for name in ("google.com", "google.com", "unlisted.example"):
        ask(pod.namespace, name)
    found = metrics(daemon)
    assert found["egressd_queries_total"] == 3
    assert found["egressd_refused_total"] == 1
    assert found["egressd_leases"] >= 1
    assert found["egressd_mode_info"] == 1
    status = json.loads(daemon.ctl("status", "--json").stdout)
    names = {n.removeprefix("egressd_").removesuffix("_total").removesuffix("_info")
             for n in found}
    assert names == set(status) - {"pid", "enforcer_pid"}


def test_probes(daemon: Daemon) -> None:
    assert get(daemon, "/healthz") == (200, "ok\n")
    assert get(daemon, "/readyz") == (200, "ok\n")
    assert get(daemon, "/")[0] == 404


@pytest.mark.parametrize("family", [4, 6])
def test_pods_do_not_reach_it(daemon: Daemon, pod: Pod, family: int) -> None:
    """Not even where it listens on an address that they could route to."""
    host = f"[{NODE_UPLINK6}]" if family == 6 else NODE_UPLINK4
    daemon.configure({"metrics": f"{host}:9153"})
    daemon.reload()
    assert get(daemon, "/healthz", f"{host}:9153")[0] == 200
    done = pod.namespace.run("curl", "-s", "--max-time", "5", f"http://{host}:9153/healthz")
    assert done.returncode == 7, "refused at once"


def test_a_reload_moves_it(daemon: Daemon) -> None:
    daemon.configure({"metrics": "127.0.0.2:9154"})
    daemon.reload()
    assert get(daemon, "/healthz", "127.0.0.2:9154")[0] == 200
    assert get(daemon, "/healthz")[0] == 0
    daemon.configure({"metrics": ""})
    daemon.reload()
    assert get(daemon, "/healthz", "127.0.0.2:9154")[0] == 0
    assert daemon.alive()


def test_a_port_that_is_taken_is_told_and_no_more(daemon: Daemon, pod: Pod) -> None:
    with daemon.lab.node.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 9155))
        taken.listen()
        daemon.configure({"metrics": "127.0.0.1:9155"})
        daemon.reload()
        daemon.log.wait_for(lambda r: "no metrics port" in r["message"])
        assert ask(pod.namespace, "unlisted.example").rcode == "NXDOMAIN"
    daemon.reload()
    assert get(daemon, "/healthz", "127.0.0.1:9155")[0] == 200
