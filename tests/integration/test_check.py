# SPDX-License-Identifier: Apache-2.0
"""egressd -t on manifests that somebody names: no node, no daemon, no namespaces."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import manifests
import pytest

Check = Callable[..., "subprocess.CompletedProcess[str]"]

BROKEN = json.dumps(manifests.service_entry("x.example", resolution="SOMEHOW"), indent=1)
BROKEN_LINE = next(i for i, line in enumerate(BROKEN.splitlines(), 1) if "SOMEHOW" in line)
OTHER = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}


@pytest.fixture
def check(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Check]:
    """egressd -t in an empty folder, by nobody in particular."""
    egressd = Path(pytestconfig.getoption("--egressd")).resolve()

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(egressd), "-t", *arguments], cwd=tmp_path, input=stdin,
                              text=True, capture_output=True, timeout=10, check=False)

    before = os.umask(0o022)
    yield run
    os.umask(before)


def test_what_is_good_is_accepted_in_silence(check: Check, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(manifests.service_entry("a.example")))
    done = check("a.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(check("--json", ".").stdout) == []


def test_every_finding_has_its_place(check: Check, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    for name in ("a", "b"):
        (tmp_path / "r" / f"{name}.json").write_text(BROKEN)
    done = check("r", "absent.yaml")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert any(x.startswith(f"r/a.json:{BROKEN_LINE}:") and ": error: " in x for x in lines)
    assert any(x.startswith(f"r/b.json:{BROKEN_LINE}:") and ": error: " in x for x in lines)
    assert any(x.startswith("absent.yaml: error: ") for x in lines)


def test_all_findings_not_just_the_first(check: Check, tmp_path: Path) -> None:
    """Of one file, of several documents in it, also behind one that is no YAML."""
    documents = [BROKEN, "kind: [", "kind: &a x", json.dumps(OTHER), BROKEN]
    (tmp_path / "a.yaml").write_text("\n---\n".join(documents) + "\n")
    done = check("a.yaml")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert all(re.fullmatch(r"a\.yaml:\d+:\d+: (error|warning): .+", x) for x in lines), lines
    for words in ("SOMEHOW", "not readable as YAML", "anchors are not accepted", "already"):
        assert any(words in x for x in lines), (words, lines)
    assert sum("SOMEHOW" in x for x in lines) == 2
    assert "note" not in done.stdout and "Deployment" not in done.stdout


def test_files_folders_and_standard_input_together(check: Check, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a.json").write_text(json.dumps(manifests.service_entry("a.example")))
    (tmp_path / "b.json").write_text(json.dumps(manifests.service_entry("b.example")))
    assert check("r", "b.json", "-", stdin=json.dumps(
        manifests.service_entry("c.example"))).returncode == 0
    done = check("r", "b.json", "-", stdin=json.dumps(manifests.service_entry("a.example")))
    assert done.returncode == 1 and done.stdout.startswith("<stdin>:1:1: error: ServiceEntry")
    assert "r/a.json:1:1 already" in done.stdout
    assert "named twice" in check("-", "-", stdin="").stdout


def test_a_file_that_is_none_is_refused_at_once(check: Check, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "huge.yaml").touch()
    os.truncate(tmp_path / "huge.yaml", 1 << 30)
    (tmp_path / "latin.yaml").write_bytes(b"kind: caf\xe9\n")
    done = check("pipe.yaml", "huge.yaml", "/dev/zero", "/proc/self/mem", "latin.yaml")
    assert done.returncode == 1
    errors = {x.split(":")[0]: x for x in done.stdout.splitlines()}
    assert "no regular file" in errors["pipe.yaml"] and "no regular file" in errors["/dev/zero"]
    assert "too large" in errors["huge.yaml"] and "UTF-8" in errors["latin.yaml"]
    assert "/proc/self/mem" in errors


def test_json_says_the_same(check: Check) -> None:
    done = check("--json", "-", stdin=BROKEN)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert [set(f) for f in found] == [{"file", "line", "column", "severity", "text"}]
    assert found[0]["file"] == "<stdin>" and found[0]["line"] == BROKEN_LINE
    assert found[0]["severity"] == "error" and "SOMEHOW" in found[0]["text"]


def test_warnings_are_accepted(check: Check) -> None:
    warned = manifests.service_entry("a.example")
    warned["spec"]["ports"][0]["bogus"] = 8443
    done = check("-", stdin=json.dumps(warned))
    assert done.returncode == 0
    assert ": warning: " in done.stdout and "bogus" in done.stdout


def test_other_kinds_are_noted_on_request(check: Check) -> None:
    text = json.dumps(OTHER)
    assert (check("-", stdin=text).returncode, check("-", stdin=text).stdout) == (0, "")
    noted = check("-v", "-", stdin=text)
    assert json.loads(check("--json", "-", stdin=text).stdout) == []
    assert json.loads(check("--json", "-v", "-", stdin=text).stdout)[0]["severity"] == "note"
    assert noted.returncode == 0 and ": note: kind \"Deployment\"" in noted.stdout


def test_a_configuration_is_read_only_when_named(check: Check, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "upstreams: [192.0.2.53]\nzones: [{name: inside.example, upstreams: [192.0.2.54]}]\n")
    text = json.dumps(manifests.service_entry("a.inside.example"))
    assert check("-", stdin=text).stdout == ""
    assert "internal zone" in check("-c", "c.yaml", "-", stdin=text).stdout
    (tmp_path / "c.yaml").write_text("nonsense: 1\n")
    done = check("-c", "c.yaml", "-", stdin=BROKEN)
    assert done.returncode == 1 and "c.yaml:1:1: error: unknown key" in done.stdout
    assert "<stdin>:" in done.stdout


def test_wrong_usage(pytestconfig: pytest.Config, check: Check) -> None:
    egressd = pytestconfig.getoption("--egressd")
    assert check("--nonsense").returncode == 2
    for arguments in (["file.yaml"], ["--json"]):
        done = subprocess.run([egressd, *arguments], capture_output=True, timeout=10, check=False)
        assert done.returncode == 2 and b"usage" in done.stderr
