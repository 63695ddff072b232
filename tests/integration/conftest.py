# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one lab for all tests, one daemon that each test finds as if freshly installed.

    /usr/bin/python3 -m pytest tests/integration [-m "not slow"] [--egressd PATH]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from build import program  # noqa: E402
from daemon import Daemon  # noqa: E402
from far import INNER, Far  # noqa: E402
from fake_upstream import FakeUpstream  # noqa: E402
from faults import Faults  # noqa: E402
from forge import Wire  # noqa: E402
from internet import FAKE4, FAKE6  # noqa: E402
from lab import Lab, Pod  # noqa: E402
from witness import Witness  # noqa: E402

NEEDED = ("setpriv", "unshare", "nsenter", "ip", "nft", "openssl", "curl")
AGAIN = "EGRESSD_TESTS_IN_NAMESPACE"
# Since 6.9 the kernel keeps others from the table, before it they are noticed.
OWNED = tuple(int(n) for n in os.uname().release.split(".")[:2]) >= (6, 9)
collect_ignore = ["test_loss.py"] if OWNED else []


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("egressd")
    group.addoption("--egressd", default=program("EGRESSD"))
    group.addoption("--egressctl", default=program("EGRESSCTL"))
    group.addoption("--egressd-early", default=program("EGRESSD_EARLY"),
                    help="the build that answers before the commit")
    group.addoption("--egressd-next", default=program("EGRESSD_NEXT"),
                    help="the build whose table has a later layout")
    group.addoption("--witness", default=program("EGRESSD_WITNESS"))
    group.addoption("--burst", type=int, default=int(os.environ.get("EGRESSD_BURST", "0")),
                    help="lookups of the burst tests; 0: what each of them needs")
    group.addoption("--full", action="store_true", default=bool(os.environ.get("EGRESSD_FULL")),
                    help="the tests of test_chaos.py at their full size")


def become_root(config: pytest.Config) -> None:
    """Who is not root becomes it in a user namespace, where the kernel allows that."""
    if os.environ.get(AGAIN) or subprocess.run(["unshare", "-Urnm", "true"]).returncode:
        pytest.exit("the integration tests need root, or user namespaces: run them as root", 4)
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.stop_global_capturing()
    os.environ[AGAIN] = "1"
    os.execvp("unshare", ["unshare", "-Urnm", "--", sys.executable, "-m", "pytest",
                          *config.invocation_params.args])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: not part of the fast suite")
    if os.geteuid() != 0:
        become_root(config)
    config.addinivalue_line("markers", "owned: needs Linux 6.9; left out before")
    missing = [p for p in NEEDED if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        pytest.exit(f"the integration tests need these programs: {', '.join(missing)}", 4)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not OWNED:
        items[:] = [i for i in items if i.get_closest_marker("owned") is None]


@dataclass(frozen=True)
class Programs:
    """Client programs, by the paths under which every pod finds them."""

    resolve_glibc: str
    resolve_musl: str | None
    resolve_cares: str
    burst: str
    flood: str
    storm: str
    edge: str


LIBRARIES = {"cares": ["-lcares"]}


def compile_client(lab: Lab, name: str, *compiler: str) -> str:
    target = lab.internet.namespace.path(f"/run/{name}")
    source = HERE / "clients" / f"{name.split('-')[0]}.c"
    subprocess.run([*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", str(target),
                    str(source), *LIBRARIES.get(name, ())], check=True)
    return str(target)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


@pytest.fixture(scope="session")
def programs(lab: Lab) -> Programs:
    cc = os.environ.get("CC", "cc").split()
    musl = shutil.which("musl-gcc")
    with_musl = compile_client(lab, "resolve-musl", musl, "-static") if musl else None
    return Programs(compile_client(lab, "resolve-glibc", *cc), with_musl,
                    compile_client(lab, "cares", *cc), compile_client(lab, "burst", *cc),
                    compile_client(lab, "flood", *cc), compile_client(lab, "storm", *cc),
                    compile_client(lab, "edge", *cc))


@pytest.fixture(scope="session")
def session_witness(lab: Lab) -> Iterator[Witness]:
    witness = Witness(lab.node)
    yield witness
    witness.close()


@pytest.fixture
def witness(session_witness: Witness) -> Witness:
    return session_witness


@pytest.fixture(scope="session")
def judge(pytestconfig: pytest.Config) -> Path:
    """The program of proof.py."""
    path = Path(pytestconfig.getoption("--witness"))
    if not os.access(path, os.X_OK):
        pytest.exit(f"{path} is not there: run make witness first", 4)
    return path.resolve()


@pytest.fixture(scope="session")
def session_upstream(lab: Lab) -> Iterator[FakeUpstream]:
    fake = FakeUpstream(lab.internet.namespace, FAKE4, FAKE6)
    yield fake
    fake.close()


@pytest.fixture(scope="session")
def session_daemon(lab: Lab, pytestconfig: pytest.Config) -> Iterator[Daemon]:
    egressd = Path(pytestconfig.getoption("--egressd"))
    egressctl = Path(pytestconfig.getoption("--egressctl"))
    for path in (egressd, egressctl):
        if not os.access(path, os.X_OK):
            pytest.exit(f"{path} is not there: run make first", 4)
    made = Daemon(lab, egressd.resolve(), egressctl.resolve())
    yield made
    made.close()


@pytest.fixture
def installed(session_daemon: Daemon) -> Iterator[Daemon]:
    """Not running, nothing configured; whatever the test before it did."""
    session_daemon.clean()
    yield session_daemon
    session_daemon.kill()
    assert not session_daemon.sanitizer_reports()


@pytest.fixture
def faults(installed: Daemon, lab: Lab) -> Iterator[Faults]:
    """Of the daemon, when it is started after this."""
    made = Faults(lab)
    installed.launcher = made.launcher
    yield made
    installed.kill()
    made.close()


@pytest.fixture
def daemon(installed: Daemon) -> Daemon:
    """Running under REGISTRY_ONLY with an empty registry, listening on both families."""
    installed.register()
    installed.start()
    return installed


@pytest.fixture
def far(lab: Lab) -> Iterator[Far]:
    made = Far(lab, INNER)
    yield made
    made.close()


@pytest.fixture
def upstream(daemon: Daemon, session_upstream: FakeUpstream) -> Iterator[FakeUpstream]:
    """The scriptable server, made the daemon's only one."""
    session_upstream.reset()
    daemon.configure({"upstreams": [f"{FAKE4}:53"]})
    daemon.reload()
    yield session_upstream
    failures, session_upstream.failures = session_upstream.failures, []
    session_upstream.reset()
    assert not failures, failures


@pytest.fixture
def early(installed: Daemon, pytestconfig: pytest.Config) -> Iterator[Daemon]:
    """The build that answers before the kernel has acknowledged, not running yet."""
    egressd = Path(pytestconfig.getoption("--egressd-early")).resolve()
    assert egressd.exists(), f"{egressd} is not there: run make early"
    right, installed.egressd = installed.egressd, egressd
    yield installed
    installed.kill()
    installed.egressd = right


@pytest.fixture
def pod(lab: Lab) -> Pod:
    return lab.pods[0]


@pytest.fixture
def wire(pod: Pod) -> Iterator[Wire]:
    made = Wire(pod)
    yield made
    made.close()


@pytest.fixture
def other_pod(lab: Lab) -> Pod:
    return lab.pods[1]


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def family(request: pytest.FixtureRequest) -> int:
    return request.param
