# SPDX-License-Identifier: Apache-2.0
"""egressctl explain: may it be reached, and why; asked of files and of a running daemon."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import manifests
import pytest
import zone
from daemon import Daemon
from dnsclient import ask
from lab import Pod

Explain = Callable[..., "subprocess.CompletedProcess[str]"]

GOOGLE = manifests.service_entry("google.com", name="google-ext")
WILD = manifests.service_entry("*.example.com", name="wild", namespace="shop",
                               resolution="NONE", exportTo=["."])


@pytest.fixture
def explain(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Explain]:
    """egressctl explain in a folder with a registry in r/; no daemon, no namespaces."""
    egressctl = Path(pytestconfig.getoption("--egressctl")).resolve()

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(egressctl), "explain", *arguments], cwd=tmp_path, text=True,
                              input=stdin, capture_output=True, timeout=10, check=False)

    before = os.umask(0o022)
    (tmp_path / "r").mkdir()
    for manifest in (GOOGLE, WILD):
        (tmp_path / "r" / f"{manifest['metadata']['name']}.json").write_text(json.dumps(manifest))
    yield run
    os.umask(before)


@pytest.mark.parametrize(("workload", "target", "status", "words"), [
    ("default/app", "google.com:443", 0, "rule default/google-ext (r/google-ext.json:1): "),
    ("default", "google.com", 0, "opens 443/HTTPS"),
    ("default/app", "google.com:80", 3, "port 80/TCP is not listed; it lists 443/HTTPS"),
    ("default/app", "google.com:443/udp", 3, "port 443/UDP is not listed"),
    ("shop/web", "www.example.com:443", 0, "host *.example.com"),
    ("shop/web", "example.com:443", 3, "does not cover its apex"),
    ("default/app", "www.example.com:443", 3, "exported to the namespace shop only"),
    ("default/app", "142.250.1.1:443", 3, "only after a lookup of a name by that pod"),
    ("default/app", "10.1.2.3:443", 3, "forbidden: an external name must not lead inside"),
    ("default/app", "[fe80::1]:443", 3, "forbidden: loopback, link-local"),
])
def test_files(explain: Explain, workload: str, target: str, status: int, words: str) -> None:
    done = explain("-r", "r", workload, target)
    assert done.returncode == status, done
    assert done.stdout.startswith("allowed: " if status == 0 else "refused: ")
    assert words in done.stdout and done.stderr == ""


def test_json(explain: Explain) -> None:
    done = explain("--json", "-r", "r", "default/app", "google.com:80")
    told = json.loads(done.stdout)
    assert done.returncode == 3 and told["allowed"] is False
    assert (told["workload"], told["target"]) == ("default/app", "google.com:80/TCP")
    rule = told["reasons"][0]
    assert rule["role"] == "rule" and rule["entry"]["name"] == "google-ext"
    assert rule["entry"]["file"] == "r/google-ext.json" and rule["entry"]["line"] == 1


def test_several_paths_and_standard_input(explain: Explain) -> None:
    text = json.dumps(manifests.service_entry("piped.example"))
    done = explain("-r", "r/google-ext.json", "-r", "-", "default", "piped.example", stdin=text)
    assert done.returncode == 0 and "<stdin>:1" in done.stdout


def test_the_mode_is_what_a_manifest_says(explain: Explain) -> None:
    text = json.dumps(manifests.policy("ALLOW_ANY"))
    done = explain("-r", "r", "-r", "-", "default", "unheard.example", stdin=text)
    assert done.returncode == 0 and "ALLOW_ANY" in done.stdout


def test_a_configuration(explain: Explain, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(json.dumps({
        "meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}},
        "upstreams": ["192.0.2.53"], "registry": [str(tmp_path / "r")],
        "zones": [{"name": "cluster.local", "upstreams": ["192.0.2.54"]}],
        "internal": ["198.51.100.0/24"]}))
    for target, words in (("google.com:443", "google-ext"), ("198.51.100.1:1", "internal ranges"),
                          ("x.cluster.local", "internal zone")):
        done = explain("-c", "c.yaml", "default", target)
        assert done.returncode == 0 and words in done.stdout, done
    done = explain("-c", "c.yaml", "192.0.2.1", "google.com")
    assert done.returncode == 3 and "pods.cidrs" in done.stdout


def test_a_registry_that_is_refused_explains_nothing(explain: Explain) -> None:
    broken = json.dumps(manifests.service_entry("x.example", resolution="SOMEHOW"))
    done = explain("-r", "r", "-r", "-", "default", "google.com", stdin=broken)
    assert done.returncode == 1 and done.stdout == ""
    assert "<stdin>:1:" in done.stderr and "SOMEHOW" in done.stderr


def test_wrong_usage(explain: Explain, pytestconfig: pytest.Config) -> None:
    for arguments in (["-r", "r"], ["-r", "r", "default"], ["-r", "r", "default", "a.b", "c"],
                      ["-r", "r", "Default", "a.b"], ["-r", "r", "default", "https://a.b"]):
        done = explain(*arguments)
        assert done.returncode == 2 and done.stderr, done
    egressctl = pytestconfig.getoption("--egressctl")
    assert subprocess.run([egressctl, "status", "-r", "r"], capture_output=True, timeout=10,
                          check=False).returncode == 2


def test_a_running_daemon(daemon: Daemon, pod: Pod) -> None:
    daemon.load(GOOGLE, WILD, manifests.pod("app", [pod.v4]))
    done = daemon.ctl("explain", "default/app", "google.com:443")
    assert done.returncode == 0 and "leases that this name has opened now: 0" in done.stdout
    address = f"{zone.GOOGLE4}:443"
    done = daemon.ctl("explain", "default/app", address)
    assert done.returncode == 3 and "leases that hold it now: 0" in done.stdout

    ask(pod.namespace, "google.com")
    for workload in ("default/app", "default", pod.v4):
        done = daemon.ctl("explain", workload, address)
        assert done.returncode == 0, done
        assert "leases hold it: 1" in done.stdout and "google.com" in done.stdout
    done = daemon.ctl("explain", "default/app", f"{zone.GOOGLE4}:80")
    assert done.returncode == 3 and "there are some for other ports" in done.stdout
    done = daemon.ctl("explain", "shop", address)
    assert done.returncode == 3, done
    done = daemon.ctl("explain", "--json", "default/app", "google.com:443")
    assert done.returncode == 0 and json.loads(done.stdout)["allowed"] is True
    done = daemon.ctl("explain", "default/app", "www.example.com")
    assert done.returncode == 3 and "exported to the namespace shop only" in done.stdout


def test_the_daemon_says_what_it_would_do_itself(daemon: Daemon, pod: Pod) -> None:
    """An address that no manifest tells of, and one that is no pod's."""
    daemon.load(GOOGLE, WILD)
    done = daemon.ctl("explain", pod.v4, "google.com:443")
    assert done.returncode == 0 and "no manifest tells whose address" in done.stdout
    assert daemon.ctl("explain", pod.v4, "www.example.com").returncode == 3
    done = daemon.ctl("explain", "192.0.2.99", "google.com:443")
    assert done.returncode == 3 and "pods.cidrs" in done.stdout
    daemon.load(GOOGLE, mode="ALLOW_ANY")
    assert daemon.ctl("explain", pod.v4, "unheard.example:25").returncode == 0


@pytest.mark.parametrize(("request_line", "reply"), [
    ("explain", "error expected: explain WORKLOAD TARGET"),
    ("explain default", "error expected: explain WORKLOAD TARGET"),
    ("explain default a.b yaml", "error expected: explain WORKLOAD TARGET"),
    ("explain Default a.b", "error the workload is "),
    ("explain default a..b json", "error the target is "),
])
def test_a_request_that_is_none(daemon: Daemon, request_line: str, reply: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.lab.node.path("/run/egressd/control.sock")))
        client.sendall(request_line.encode() + b"\n")
        assert client.makefile().read().startswith(reply)


def test_without_a_daemon(installed: Daemon) -> None:
    done = installed.ctl("explain", "default", "google.com")
    assert done.returncode == 1 and done.stderr.strip()
