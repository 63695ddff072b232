# SPDX-License-Identifier: Apache-2.0
"""A flood of names that nobody asked for before: the caches are full, the memory is bounded
(attack A30)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import manifests
import zone
from daemon import Daemon
from dnsclient import WINDOW, ask, ask_each, node_local
from lab import Pod
from memory_group import MemoryGroup

MIB = 1 << 20
LARGE, WILD = "many.example.com", "wild.example.com"
LARGE_BYTES = 900  # of an answer, at least
FLOOD = 20000
# With the daemon and a cache of so much, in MiB; 32 is the cache without a configuration.
SIZES = [(48, 16), (64, 32), (96, 64)]


@pytest.fixture
def group(request: pytest.FixtureRequest) -> Iterator[MemoryGroup]:
    try:
        made = MemoryGroup(request.param * MIB)
    except OSError as e:
        pytest.skip(f"no cgroup can be made here: {e}")
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("group, cache", SIZES, indirect=["group"], ids=[f"{g}" for g, _ in SIZES])
def test_a30_it_lives_in_so_much(installed: Daemon, group: MemoryGroup, cache: int, pod: Pod,
                                 other_pod: Pod) -> None:
    """The cache is full of one pod's names, which do not end; leases of another's come."""
    installed.configure({"cache": {"size": f"{cache}MiB"}})
    installed.register(manifests.service_entry(f"*.{LARGE}", f"*.{WILD}", resolution="NONE"))
    installed.launcher = group.launcher
    try:
        installed.start()
        pids = {installed.pid, installed.enforcer_pid}
        large = [f"n{i}.{LARGE}" for i in range(cache * MIB // LARGE_BYTES + WINDOW)]
        ask_each(pod.namespace, large)
        told = installed.status()
        assert told["cache_evictions"] > 0 and told["cache_bytes"] <= cache * MIB
        ask_each(other_pod.namespace, [f"n{i}.{WILD}" for i in range(FLOOD)], server=node_local(6))
        assert ask(other_pod.namespace, f"last.{WILD}").addresses() == ["198.51.100.85"]
        assert {installed.pid, installed.enforcer_pid} == pids
        assert group.kills() == 0
        print(f"{group.most() // MIB} MiB in use with a cache of {cache} MiB")
    finally:
        installed.kill()
