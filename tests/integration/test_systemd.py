# SPDX-License-Identifier: Apache-2.0
"""The units, the journal and the catalog, under a real systemd (systemd_lab.py)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from systemd_lab import Machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# In a user namespace there is no other user for the service to run as.
pytestmark = pytest.mark.skipif("EGRESSD_TESTS_IN_NAMESPACE" in os.environ,
                                reason="systemd needs the real root")

NODE, NODE6 = "169.254.20.10", "fd00:a9fe:140a::10"
CAP_NET_ADMIN = 1 << 12  # linux/capability.h
UNITS = ("egressd.socket", "egressd-tcp.socket", "egressd.service")
EXPOSURE_MAX = 1.7
BUFFER = 16 << 20
# The MESSAGE_ID of LOG_RELOADED (daemon/log/record.c); a released one never changes.
RELOADED = "e66c0450b58c404bb8b83347641302ab"

CONFIG = f"""
meshConfig: {{outboundTrafficPolicy: {{mode: REGISTRY_ONLY}}}}
listen: ["{NODE}:53", "[{NODE6}]:53"]
upstreams: ["198.51.100.53:53"]
pods: {{cidrs: ["10.244.0.0/16", "fd00:10:244::/64"], interfaces: ["pod*"]}}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: curl, namespace: default}
spec: {nodeName: lab}
status:
  phase: Running
  podIP: 10.244.0.2
  podIPs: [{ip: 10.244.0.2}, {ip: "fd00:10:244::2"}]
"""

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: default}}
spec:
  hosts: [{hosts}]
  location: MESH_EXTERNAL
  resolution: {resolution}
  ports: [{{number: 443, name: https, protocol: HTTPS}}]
"""

ZONE = """$ORIGIN example.
$TTL 60
@ SOA ns.example. root.example. 1 3600 600 86400 60
@ NS ns
ns A 198.51.100.53
www A 203.0.113.10
later A 203.0.113.11
*.wild A 203.0.113.12
"""

NSD_CONF = """
server:
  ip-address: 198.51.100.53
  username: ""
  zonesdir: /etc/lab
  database: ""
  pidfile: ""
  xfrdfile: ""
  zonelistfile: /run/lab-nsd.list
  verbosity: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: example
  zonefile: example.zone
"""

# A restart of the upstream is nobody's concern here: it lives as long as the machine.
NSD_UNIT = """
[Service]
Type=notify
NetworkNamespacePath=/run/netns/internet
ExecStart=/usr/sbin/nsd -d -c /etc/lab/nsd.conf
"""

RATE = 1000
IN_HAND_MAX = RATE // 10  # what a killed process may have had in its hands: 100 ms of questions
# Enough pods that the questions of one, which wait while the service is away, stay below
# what one pod may have waiting (QUERIES_PER_POD in daemon/query/query.h): 2 seconds' worth.
PODS = [f"10.244.0.{host}" for host in range(2, 10)]

POD_ADDRESSES = "\n".join(f"ip -n pod address add {a}/24 dev eth0" for a in PODS)

# The node is the machine's own network namespace; all pods share one.
NETWORK = f"""
echo 1 >/proc/sys/net/ipv4/ip_forward
ip netns add pod
ip netns add internet
ip link add pod0 type veth peer name eth0 netns pod
ip link add up0 type veth peer name eth0 netns internet
ip address add 10.244.0.1/24 dev pod0
ip address add fd00:10:244::1/64 dev pod0 nodad
ip address add 198.51.100.1/24 dev up0
ip link set pod0 up
ip link set up0 up
{POD_ADDRESSES}
ip -n pod address add fd00:10:244::2/64 dev eth0 nodad
ip -n pod link set eth0 up
ip -n pod route add default via 10.244.0.1
ip -n pod route add default via fd00:10:244::1
ip -n internet address add 198.51.100.53/24 dev eth0
ip -n internet link set eth0 up
ip -n internet route add default via 198.51.100.1
"""


def install_command(config: pytest.Config) -> list[str]:
    """Installs the build under test below $DESTDIR, independent of the make that runs us. Its
    folder is named as other makes name it: what is compiled here is to be theirs too."""
    build = os.path.relpath(Path(config.getoption("--egressd")).resolve().parent, ROOT)
    return ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "-C", str(ROOT), "install",
            "PREFIX=/usr", f"BUILD={build}"]


@pytest.fixture(scope="module")
def machine(pytestconfig: pytest.Config) -> Iterator[Machine]:
    """Booted once, with its pod and its internet; egressd runs."""
    with Machine(install_command(pytestconfig)) as m:
        m.run("sh", "-ec", NETWORK)
        m.write("/etc/lab/nsd.conf", NSD_CONF)
        m.write("/etc/lab/example.zone", ZONE)
        m.write("/etc/systemd/system/lab-nsd.service", NSD_UNIT)
        m.write("/etc/egressd/egressd.yaml", CONFIG)
        m.write("/etc/egressd/registry.d/pod.yaml", POD)
        m.write("/etc/egressd/registry.d/entry.yaml", ENTRY.format(
            name="entry", hosts="www.example, '*.wild.example'", resolution="NONE"))
        m.write("/run/steady.py", (HERE / "steady.py").read_text())
        # looking for leaks at the end takes ptrace(2), which the sandbox forbids
        m.write("/etc/systemd/system/egressd.service.d/sanitizer.conf",
                "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")
        m.systemctl("daemon-reload")
        m.systemctl("start", "lab-nsd.service", *UNITS)
        yield m


def ask(machine: Machine, name: str, *options: str,
        server: str = NODE) -> tuple[str, list[str]]:
    """What dig prints for the answer: status and addresses."""
    argv = ["dig", "+tries=1", "+time=5", *options, f"@{server}", name, "A"]
    out = machine.run(*argv, netns="pod").stdout
    status = re.search(r"status: (\w+)", out).group(1)
    return status, re.findall(r"^[^;\n].*\tA\t(\S+)$", out, re.M)


def steady(machine: Machine, seconds: int, retry_s: int) -> subprocess.Popen[str]:
    """Starts the load; returns when the first answer has come."""
    names = ["www.example", "n%d.wild.example"]
    load = machine.popen("/usr/bin/python3", "/run/steady.py", NODE, ",".join(PODS), RATE,
                         seconds, retry_s, *names, netns="pod")
    assert load.stdout.readline() == "started\n"
    return load


def outcome(load: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = load.communicate(timeout=30)
    return json.loads(out)


def processes(machine: Machine) -> tuple[str, str]:
    """(pid of the loop, pid of the enforcer)"""
    loop = machine.show("egressd.service", "MainPID")["MainPID"]
    children = machine.run("pgrep", "--parent", loop).stdout.split()
    assert len(children) == 1
    return loop, children[0]


def capabilities(machine: Machine, pid: str) -> dict[str, int]:
    """The process's capability sets by name, as numbers."""
    status = machine.path(f"/proc/{pid}/status").read_text()
    return {k: int(v, 16) for k, v in re.findall(r"^Cap(\w+):\s+([0-9a-f]+)$", status, re.M)}


def test_exposure_is_at_most_1_7(machine: Machine) -> None:
    argv = ["systemd-analyze", "security", "--no-pager", "egressd.service"]
    out = machine.run(*argv).stdout
    level = re.search(r"Overall exposure level for egressd.service: ([0-9.]+)", out)
    assert float(level.group(1)) <= EXPOSURE_MAX, out


def test_units_are_well_formed(machine: Machine) -> None:
    paths = [machine.show(u, "FragmentPath")["FragmentPath"] for u in UNITS]
    done = machine.run("systemd-analyze", "verify", "--man=no", *paths)
    assert "egressd" not in done.stdout + done.stderr


def test_systemd_holds_every_socket(machine: Machine) -> None:
    udp = machine.run("ss", "-Hlnump", "sport = :53").stdout
    tcp = machine.run("ss", "-Hlntp", "sport = :53").stdout
    for address in (f"{NODE}:53", f"[{NODE6}]:53"):
        assert len(re.findall(f"{re.escape(address)}.*systemd", udp)) == 1, udp
        assert len(re.findall(f"{re.escape(address)}.*systemd", tcp)) == 1, tcp
    # socket(7): the kernel doubles what was asked for.
    assert re.findall(r"\brb(\d+)", udp) == [str(2 * BUFFER)] * 2


def test_listed_name_is_answered_on_every_socket(machine: Machine) -> None:
    for server in (NODE, NODE6):
        assert ask(machine, "www.example", server=server) == ("NOERROR", ["203.0.113.10"])
        assert ask(machine, "www.example", "+tcp", server=server) == ("NOERROR", ["203.0.113.10"])


def test_refused_lookup_is_in_the_journal(machine: Machine) -> None:
    assert ask(machine, "refused.example") == ("NXDOMAIN", [])
    record = machine.journal("-t", "egressd", "EGRESSD_NAME=refused.example")[0]
    assert record["EGRESSD_POD"] == "default/curl"
    assert record["EGRESSD_NAMESPACE"] == "default"
    assert record["EGRESSD_TYPE"] == "A"
    assert record["EGRESSD_REASON"]
    assert record["_SYSTEMD_UNIT"] == "egressd.service"
    assert "refused.example" in record["MESSAGE"]


def test_journal_explains_a_refused_lookup(machine: Machine) -> None:
    ask(machine, "explained.example")
    match = ["-t", "egressd", "EGRESSD_NAME=explained.example"]
    message_id = machine.journal(*match)[0]["MESSAGE_ID"]
    catalog = machine.run("journalctl", "--dump-catalog", message_id).stdout
    subject = re.search(r"^Subject: (.+)$", catalog, re.M).group(1)
    shown = machine.run("journalctl", "--catalog", "--no-pager", *match).stdout
    assert "Subject: " + subject.replace("@EGRESSD_NAME@", "explained.example") in shown


def test_reload_takes_up_a_new_entry(machine: Machine) -> None:
    assert ask(machine, "later.example") == ("NXDOMAIN", [])
    before = processes(machine)
    after = time.monotonic()
    entry = ENTRY.format(name="later", hosts="later.example", resolution="DNS")
    machine.write("/etc/egressd/registry.d/later.yaml", entry)
    machine.systemctl("reload", "egressd.service")
    machine.journal("-t", "egressd", "MESSAGE_ID=" + RELOADED, after=after)
    assert ask(machine, "later.example") == ("NOERROR", ["203.0.113.11"])
    assert processes(machine) == before


def test_loop_has_no_capability_and_enforcer_only_net_admin(machine: Machine) -> None:
    loop, enforcer = processes(machine)
    held = capabilities(machine, loop)
    assert (held["Eff"], held["Prm"], held["Inh"], held["Amb"]) == (0, 0, 0, 0)
    held = capabilities(machine, enforcer)
    assert (held["Eff"], held["Prm"]) == (CAP_NET_ADMIN, CAP_NET_ADMIN)
    assert (held["Inh"], held["Amb"]) == (0, 0)
    for pid in (loop, enforcer):
        status = machine.path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
        assert re.search(r"^Seccomp:\s+2$", status, re.M)
        assert not re.search(r"^Uid:.*\b0\b", status, re.M)


def test_restart_under_load_loses_nothing(machine: Machine) -> None:
    before = processes(machine)
    load = steady(machine, 3, 0)
    machine.systemctl("restart", "egressd.service")
    told = outcome(load)
    assert (told["lost"], told["again"], told["rcodes"]) == (0, 0, {"0": told["asked"]}), told
    assert not set(processes(machine)) & set(before)


@pytest.mark.parametrize("victim", ["loop", "enforcer"])
def test_kill_9_under_load_loses_no_lookup(machine: Machine, victim: str) -> None:
    """A question that the process had in its hands dies with it: its client asks again."""
    before = processes(machine)
    load = steady(machine, 2, 1)
    machine.run("kill", "-KILL", before[victim == "enforcer"])
    told = outcome(load)
    assert (told["lost"], told["rcodes"]) == (0, {"0": told["asked"]}), told
    assert told["again"] <= IN_HAND_MAX, told
    assert machine.show("egressd.service", "ActiveState")["ActiveState"] == "active"
    after = processes(machine)
    assert before[victim == "enforcer"] not in after
    assert capabilities(machine, after[0])["Eff"] == 0
    assert capabilities(machine, after[1])["Eff"] == CAP_NET_ADMIN


def test_question_to_a_stopped_service_starts_it(machine: Machine) -> None:
    machine.systemctl("stop", "egressd.service")
    assert ask(machine, "www.example") == ("NOERROR", ["203.0.113.10"])


def test_stopping_the_socket_stops_the_service(machine: Machine) -> None:
    machine.systemctl("stop", "egressd.socket", "egressd-tcp.socket")
    assert machine.show("egressd.service", "ActiveState")["ActiveState"] == "inactive"
    assert "inet egressd" in machine.run("nft", "list", "tables").stdout
    machine.systemctl("start", "egressd.service")
    assert ask(machine, "www.example") == ("NOERROR", ["203.0.113.10"])
