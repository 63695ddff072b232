# SPDX-License-Identifier: Apache-2.0
"""The resolvers of real pods (glibc, musl, c-ares), with the search list and ndots:5 of
real pods."""

from __future__ import annotations

import itertools

import pytest

import manifests
import reach
import zone
from conftest import Programs
from daemon import Daemon
from lab import Lab, Pod

PROMPT_MS = 50
ATTEMPTS = 3  # what else the machine does may delay one; a retry of the client's delays all
FAMILIES = ("both", "4", "6")
HAS = {"google.com": {"4": zone.GOOGLE4, "6": zone.GOOGLE6},
       "four.example.com": {"4": zone.PUBLIC4}, "six.example.com": {"6": zone.PUBLIC6},
       "web": {"4": zone.EDGE4, "6": zone.EDGE6}}
# As a pod writes it, and where in HAS it is; with ndots:5 all but the last are searched.
WRITTEN = ("{}", "{}.")
SERVICE = ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local",
           "web.default.svc.cluster.local."]
UNLISTED = ["unlisted.example", "unlisted.example.", "no", "web.other", "www.google.com",
            "a.b.c.d.e.f.unlisted.example", "a.b.c.d.e.f.unlisted.example."]


@pytest.fixture(params=["glibc", "musl", "cares"])
def resolve(request: pytest.FixtureRequest, programs: Programs) -> str:
    path: str | None = getattr(programs, f"resolve_{request.param}")
    assert path, "musl-gcc is not installed (Debian package musl-tools)"
    return path


def run(pod: Pod, program: str, name: str, which: str = "both") -> tuple[str, set[str]]:
    """The word and the addresses, and it may not have taken long."""
    took_ms: list[float] = []
    while len(took_ms) < ATTEMPTS and min(took_ms, default=PROMPT_MS) >= PROMPT_MS:
        arguments = [name] if which == "both" else [name, which]
        word, took, *rest = pod.namespace.run(program, *arguments).stdout.split()
        took_ms.append(float(took))
    assert min(took_ms) < PROMPT_MS, name
    return word, set(rest) if word == "ok" else set()


def expected(name: str, which: str) -> tuple[str, set[str]]:
    found = {address for family, address in HAS[name].items() if which in (family, "both")}
    return "ok" if found else "fail", found


@pytest.fixture
def served(daemon: Daemon, pod: Pod) -> Daemon:
    web = {"clusterIP": zone.EDGE4, "clusterIPs": [zone.EDGE4, zone.EDGE6]}
    daemon.load(manifests.pod("sleep", [pod.v4, pod.v6]), manifests.service_entry("google.com"),
                manifests.service_entry("four.example.com"),
                manifests.service_entry("six.example.com"), manifests.service("web", **web))
    return daemon


@pytest.mark.parametrize("name", ["google.com", "four.example.com", "six.example.com"])
def test_a_listed_name_has_its_addresses(served: Daemon, pod: Pod, resolve: str,
                                         name: str) -> None:
    """And each of them can be reached at once."""
    for which, written in itertools.product(FAMILIES, WRITTEN):
        word, found = run(pod, resolve, written.format(name), which)
        assert (word, found) == expected(name, which), (which, written)
        for address in found:
            assert reach.connect(pod.namespace, address, 443).result == "ok"


def test_a_service_is_found_by_the_search_list(served: Daemon, pod: Pod, resolve: str) -> None:
    for which, name in itertools.product(FAMILIES, SERVICE):
        assert run(pod, resolve, name, which) == expected("web", which), (which, name)


def test_an_unlisted_name_fails_at_once(served: Daemon, pod: Pod, resolve: str) -> None:
    for which, name in itertools.product(FAMILIES, UNLISTED):
        assert run(pod, resolve, name, which) == ("fail", set()), (which, name)
    assert not served.leases()


@pytest.mark.parametrize("name", ["google.com", "four.example.com", "six.example.com"])
def test_a_listed_name_resolves_at_the_first_domain(served: Daemon, pod: Pod, resolve: str,
                                                    name: str) -> None:
    """The same addresses with autopath, which answers what was searched for there."""
    served.configure({"autopath": True})
    served.reload()
    assert run(pod, resolve, name) == expected(name, "both")
    assert run(pod, resolve, "unlisted.example") == ("fail", set())


def test_a_pod_without_a_manifest_resolves_too(served: Daemon, other_pod: Pod,
                                               resolve: str) -> None:
    """Only its IPv4 address is known: it asks from that."""
    word, found = run(other_pod, resolve, "google.com")
    assert word == "ok" and zone.GOOGLE4 in found


def test_curl_in_one_go(served: Daemon, pod: Pod, lab: Lab) -> None:
    page = reach.curl(pod.namespace, "https://google.com", lab.internet.ca_file)
    assert page.status == "200"
    page = reach.curl(pod.namespace, "https://unlisted.example", lab.internet.ca_file)
    assert page.exit == reach.CURL_NO_NAME and page.took_s < 0.5
