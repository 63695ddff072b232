# SPDX-License-Identifier: Apache-2.0
"""The servers that the benchmark compares: how each is set up and started in its node.

All listen on SERVER, forward to UPSTREAM, run as one process on one core where they can
be told so, and log nothing but what they are made for.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import manifests
from namespace import Namespace

SERVER = "169.254.20.10"
UPSTREAM = "198.51.100.53"
POD = "10.244.0.2"
ZONE = "listed.example"  # every name below it is registered; unbound itself answers for .test
SET_SIZE = 1_000_000

UNBOUND = f"""server:
  interface: {SERVER}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  num-threads: 1
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  msg-cache-size: 32m
  rrset-cache-size: 32m
  qname-minimisation: no
forward-zone:
  name: "."
  forward-addr: {UPSTREAM}
remote-control:
  control-enable: no
"""

DNSDIST = f"""setLocal("{SERVER}:53")
setACL("0.0.0.0/0")
setSecurityPollSuffix("")
newServer({{address="{UPSTREAM}"}})
getPool(""):setCache(newPacketCache(100000))
"""

NFT_SET = f"""table inet bench {{
	set allowed {{ type ipv4_addr; flags timeout; timeout 1h; size {SET_SIZE}; }}
}}
"""

# A small cache, with room for the names that are asked again: dnsmasq 2.90 pays five times as
# much for an answer from upstream once a cache of 10,000 names is full.
DNSMASQ = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
           "--user=root", "--pid-file=", "--bind-interfaces", f"--listen-address={SERVER}",
           f"--server={UPSTREAM}", "--cache-size=1000"]


@dataclass
class Contestant:
    """One server in a node of its own, its client's pod beside it."""

    name: str
    node: Namespace
    pod: Namespace
    command: list[str] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)  # of nft's `list set`; [] writes none
    process: subprocess.Popen[str] | None = None
    journal: socket.socket | None = None  # what stands in for journald

    def start(self, cpus: str) -> None:
        with self.output.open("w") as output:
            self.process = self.node.start("taskset", "--cpu-list", cpus, *self.command,
                                           stdout=output, stderr=subprocess.STDOUT)

    @property
    def output(self) -> Path:
        return self.node.path("/run/bench.log")


def echo(c: Contestant, programs: Path) -> None:
    c.command = [str(programs / "echo"), SERVER]


def listen_as_journald(node: Namespace) -> socket.socket:
    """So that what is logged costs the daemon what it costs on a node; nothing is kept."""
    node.sysctl(unix__max_dgram_qlen=512)  # as systemd sets it
    path = node.path("/run/systemd/journal/socket")
    path.parent.mkdir(parents=True)
    journal = node.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(str(path))

    def read() -> None:
        while journal.recv(1):
            pass

    threading.Thread(target=read, daemon=True).start()
    return journal


def listed() -> manifests.Manifest:
    """The upstream's addresses are RFC 1918's, where no external name may lead."""
    return manifests.service_entry(f"*.{ZONE}", resolution="NONE", name="listed",
                                   location="MESH_INTERNAL")


def egressd(c: Contestant, program: Path, registry: Path | None = None,
            default_rate: bool = False) -> None:
    """With the registry in that folder, or one of our own."""
    config = {"meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}},
              "listen": [f"{SERVER}:53", f"{SERVER}:54"], "upstreams": [f"{UPSTREAM}:53"],
              # limits that nobody meets, so that what they cost is measured too
              "pods": {"cidrs": ["10.244.0.0/16"], "interfaces": ["pod*"],
                       "queriesPerSecond": 1_000_000, "wildcardNamesPerMinute": 1_000_000,
                       "wildcardBytesPerMinute": "1GiB"},
              "lease": {"perName": SET_SIZE, "perPod": SET_SIZE, "size": SET_SIZE}}
    if default_rate:
        del config["pods"]["queriesPerSecond"]
    if registry:
        config["registry"] = [str(registry)]
    c.node.write("/etc/egressd/egressd.yaml", json.dumps(config))
    for number, manifest in enumerate([manifests.pod("bench", [POD]), listed()]):
        c.node.write(f"/etc/egressd/registry.d/{number}.json", json.dumps(manifest))
    c.node.path("/run/egressd").mkdir()
    c.journal = listen_as_journald(c.node)
    c.command = [str(program)]
    c.elements = ["inet", "egressd", "leases4"]


def unbound(c: Contestant) -> None:
    c.node.write("/etc/bench/unbound.conf", UNBOUND)
    c.command = ["unbound", "-d", "-p", "-c", "/etc/bench/unbound.conf"]


def dnsdist(c: Contestant) -> None:
    c.node.write("/etc/bench/dnsdist.conf", DNSDIST)
    c.command = ["dnsdist", "--supervised", "--disable-syslog", "-C", "/etc/bench/dnsdist.conf"]


def dnsmasq(c: Contestant) -> None:
    c.command = list(DNSMASQ)


def dnsmasq_nftset(c: Contestant) -> None:
    c.node.run("nft", "-f", "-", stdin=NFT_SET, check=True)
    c.command = DNSMASQ + [f"--nftset=/{ZONE}/4#inet#bench#allowed"]
    c.elements = ["inet", "bench", "allowed"]


OTHERS = {"unbound": unbound, "dnsdist": dnsdist, "dnsmasq": dnsmasq,
          "dnsmasq+nftset": dnsmasq_nftset}


def is_installed(name: str) -> bool:
    return shutil.which(name.split("+")[0]) is not None
