# SPDX-License-Identifier: Apache-2.0
"""The internet of the lab: DNS, a web server, and something that accepts on other ports.

Every address of the documentation ranges is local there, so any host answers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import zone
from namespace import Namespace

DNS4, DNS6 = "198.51.100.53", "2001:db8::53"
FAKE4, FAKE6 = "198.51.100.54", "2001:db8::54"  # for fake_upstream.py
PUBLIC_DNS4, PUBLIC_DNS6 = "203.0.113.8", "2001:db8:8::8"  # one that a pod may try to ask itself
UDP_HOST4, UDP_HOST6 = "198.51.100.81", "2001:db8::81"  # servers.py echoes datagrams there
SINK_PORT = 7000  # accepts and forgets
ECHO_PORT = 7001  # UDP
RANGES4 = ("198.51.100.0/24", "203.0.113.0/24", str(zone.BURST4))
RANGES6 = ("2001:db8::/32",)

NSD_CONF = """server:
  ip-address: {v4}
  ip-address: {v6}
  ip-address: {public4}
  ip-address: {public6}
  username: ""
  chroot: ""
  zonesdir: "/run"
  database: ""
  pidfile: ""
  xfrdfile: "/run/xfrd.state"
  xfrdir: "/run"
  zonelistfile: "/run/zone.list"
  cookie-secret-file: ""
  server-count: 1
  tcp-count: 200
  rrl-ratelimit: 0
  verbosity: 1
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "/run/root.zone"
"""

UNBOUND_CONF = """server:
  interface: {v4}
  interface: {v6}
  interface: {public4}
  interface: {public6}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: ""
  chroot: ""
  directory: "/run"
  pidfile: ""
  module-config: "iterator"
  use-syslog: no
auth-zone:
  name: "."
  zonefile: "/run/root.zone"
  for-upstream: yes
  for-downstream: yes
  fallback-enabled: no
"""

LEAF_EXTENSIONS = "subjectAltName=DNS:google.com,DNS:*.google.com,DNS:*.example.com," \
    "DNS:unlisted.example\n"


def own_pids(*argv: str) -> list[str]:
    """In a PID namespace of its own: a server that forks goes as a whole."""
    return ["unshare", "--pid", "--fork", "--kill-child=KILL", "--", *argv]


class Internet:
    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.dns_addresses = [DNS4, DNS6]
        self._servers: list[subprocess.Popen[str]] = []

    @property
    def ca_file(self) -> str:
        """As every process of the lab can name it."""
        return str(self.namespace.path("/run/tls/ca.pem"))

    def start(self) -> None:
        local = [f"addr add {a} dev lo" for a in (f"{DNS4}/32", f"{FAKE4}/32", f"{PUBLIC_DNS4}/32")]
        local += [f"addr add {a}/128 dev lo nodad"
                  for a in (DNS6, FAKE6, PUBLIC_DNS6, UDP_HOST6)]
        local += [f"route add local {r} dev lo" for r in RANGES4]
        local += [f"route add local {r} dev lo" for r in RANGES6]
        self.namespace.ip("\n".join(local) + "\n")
        self.namespace.sysctl(core__somaxconn=65535, ipv4__tcp_max_syn_backlog=65535)
        self._make_certificates()
        self._start_dns()
        self._start_servers()

    def _make_certificates(self) -> None:
        self.namespace.write("/run/tls/leaf.ext", LEAF_EXTENSIONS)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        folder = "/run/tls"
        self.namespace.run("openssl", "req", "-x509", *key, "-keyout", f"{folder}/ca.key", "-out",
                           f"{folder}/ca.pem", "-days", "2", "-subj", "/CN=lab", check=True)
        self.namespace.run("openssl", "req", *key, "-keyout", f"{folder}/leaf.key", "-out",
                           f"{folder}/leaf.csr", "-subj", "/CN=google.com", check=True)
        self.namespace.run("openssl", "x509", "-req", "-in", f"{folder}/leaf.csr", "-CA",
                           f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial",
                           "-days", "2", "-extfile", f"{folder}/leaf.ext", "-out",
                           f"{folder}/leaf.pem", check=True)

    def _start_dns(self) -> None:
        self.namespace.write("/run/root.zone", zone.text())
        program, conf, argv = "nsd", NSD_CONF, ["nsd", "-d", "-c", "/run/dns.conf"]
        if not (shutil.which("nsd") or Path("/usr/sbin/nsd").exists()):
            program, conf, argv = "unbound", UNBOUND_CONF, ["unbound", "-d", "-c", "/run/dns.conf"]
        self.namespace.write("/run/dns.conf", conf.format(
            v4=DNS4, v6=DNS6, public4=PUBLIC_DNS4, public6=PUBLIC_DNS6))
        server = self.namespace.start(*own_pids(*argv), stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)
        self._servers.append(server)
        wait_for_line(server, "nsd started" if program == "nsd" else "start of service")

    def _start_servers(self) -> None:
        script = Path(__file__).with_name("servers.py")
        server = self.namespace.start(
            sys.executable, "-B", str(script), "/run/tls/leaf.pem", "/run/tls/leaf.key",
            str(SINK_PORT), str(ECHO_PORT), UDP_HOST4, UDP_HOST6, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self._servers.append(server)
        wait_for_line(server, "ready")


def wait_for_line(server: subprocess.Popen[str], text: str) -> None:
    """Read a server's standard error until it says that it is up."""
    assert server.stderr is not None
    said = []
    for line in server.stderr:
        said.append(line)
        if text in line:
            return
    raise RuntimeError("a server of the lab did not start:\n" + "".join(said))
