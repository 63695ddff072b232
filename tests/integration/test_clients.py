# SPDX-License-Identifier: Apache-2.0
"""The C libraries of real pods, with the search list and ndots:5 of real pods."""

from __future__ import annotations

import pytest

import manifests
import reach
import zone
from conftest import Programs
from daemon import Daemon
from lab import Lab, Pod

PROMPT_MS = 100


@pytest.fixture(params=["glibc", "musl"])
def resolve(request: pytest.FixtureRequest, programs: Programs) -> str:
    path = programs.resolve_glibc if request.param == "glibc" else programs.resolve_musl
    assert path, "musl-gcc is not installed (Debian package musl-tools)"
    return path


def run(pod: Pod, program: str, *arguments: str) -> tuple[str, float, list[str]]:
    word, took_ms, *rest = pod.namespace.run(program, *arguments).stdout.split()
    return word, float(took_ms), rest


@pytest.fixture
def served(daemon: Daemon, pod: Pod) -> Daemon:
    daemon.load(manifests.pod("sleep", [pod.v4, pod.v6]), manifests.service_entry("google.com"),
                manifests.service_entry("four.example.com"),
                manifests.service_entry("six.example.com"))
    return daemon


@pytest.mark.parametrize("which", ["4", "6"])
def test_a_registered_name_resolves(served: Daemon, pod: Pod, resolve: str, which: str) -> None:
    word, took_ms, found = run(pod, resolve, "google.com", which)
    assert word == "ok" and took_ms < PROMPT_MS
    assert found == [zone.GOOGLE4 if which == "4" else zone.GOOGLE6]
    assert reach.connect(pod.namespace, found[0], 443).result == "ok"


def test_both_families_resolve_together(served: Daemon, pod: Pod, resolve: str) -> None:
    word, took_ms, found = run(pod, resolve, "google.com")
    assert word == "ok" and took_ms < PROMPT_MS and set(found) == {zone.GOOGLE4, zone.GOOGLE6}


@pytest.mark.parametrize(("name", "address"), [("four.example.com", zone.PUBLIC4),
                                               ("six.example.com", zone.PUBLIC6)])
def test_one_family_is_enough(served: Daemon, pod: Pod, resolve: str, name: str,
                              address: str) -> None:
    word, took_ms, found = run(pod, resolve, name)
    assert (word, found) == ("ok", [address]) and took_ms < PROMPT_MS


@pytest.mark.parametrize("name", ["unlisted.example", "no", "a.b.c.d.e.f.unlisted.example."])
def test_an_unregistered_name_fails_at_once(served: Daemon, pod: Pod, resolve: str,
                                            name: str) -> None:
    word, took_ms, _ = run(pod, resolve, name)
    assert word == "fail" and took_ms < PROMPT_MS


def test_a_pod_without_a_manifest_resolves_too(served: Daemon, other_pod: Pod,
                                               resolve: str) -> None:
    """Only its IPv4 address is known: it asks from that."""
    word, took_ms, found = run(other_pod, resolve, "google.com")
    assert word == "ok" and took_ms < PROMPT_MS and zone.GOOGLE4 in found


def test_curl_in_one_go(served: Daemon, pod: Pod, lab: Lab) -> None:
    page = reach.curl(pod.namespace, "https://google.com", lab.internet.ca_file)
    assert page.status == "200"
    page = reach.curl(pod.namespace, "https://unlisted.example", lab.internet.ca_file)
    assert page.exit == reach.CURL_NO_NAME and page.took_s < 0.5
