# SPDX-License-Identifier: Apache-2.0
"""The lab: a node with its pods, and an internet behind the node's uplink.

    pod1 eth0 --- vethpod1 \\
    pod2 eth0 --- vethpod2  node uplink0 --- eth0 internet
    ...                    /
"""

from __future__ import annotations

from dataclasses import dataclass

from internet import Internet
from namespace import Namespace

NODE_LOCAL4 = "169.254.20.10"
NODE_LOCAL6 = "fd00:a9fe:140a::10"
NODE_UPLINK4 = "192.0.2.1"
NODE_UPLINK6 = "3fff::1"  # RFC 9637: outside of 2001:db8::/32, all of which the internet answers
INTERNET4 = "192.0.2.2"
INTERNET6 = "3fff::2"
GATEWAY4 = "169.254.1.1"  # every pod's, as Calico does it: no pod network to share
GATEWAY6 = "fe80::1"
PODS4 = "10.244.0.0/16"
PODS6 = "fd00:10:244::/56"

POD_RESOLV_CONF = f"""nameserver {NODE_LOCAL4}
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
"""
NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\n"
HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


@dataclass
class Pod:
    """A pod's namespace and what the node calls it."""

    namespace: Namespace
    interface: str
    v4: str
    v6: str

    def address(self, family: int) -> str:
        return self.v4 if family == 4 else self.v6


def mac(number: int, end: int) -> str:
    """Known addresses and fixed neighbours: no packet waits for ARP or neighbour discovery."""
    return f"02:00:00:00:{number:02x}:{end:02x}"


def make_node() -> Namespace:
    node = Namespace("node")
    node.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1,
                ipv6__conf__default__forwarding=1, ipv6__conf__default__accept_dad=0,
                ipv4__conf__all__rp_filter=0, ipv4__conf__default__rp_filter=0,
                # Refusals are counted by the tests; the kernel must not thin them out.
                ipv4__icmp_ratelimit=0, ipv6__icmp__ratelimit=0)
    node.ip(f"addr add {NODE_LOCAL4}/32 dev lo\naddr add {NODE_LOCAL6}/128 dev lo nodad\n")
    return node


def make_uplink(node: Namespace, internet: Namespace) -> None:
    internet.sysctl(ipv6__conf__default__accept_dad=0)
    node.ip(f"""link add uplink0 address {mac(0, 1)} type veth peer name eth0 \
address {mac(0, 2)} netns {internet.pid}
addr add {NODE_UPLINK4}/24 dev uplink0
addr add {NODE_UPLINK6}/64 dev uplink0 nodad
link set uplink0 up
""")
    internet.ip(f"""addr add {INTERNET4}/24 dev eth0
addr add {INTERNET6}/64 dev eth0 nodad
link set eth0 up
route add {PODS4} via {NODE_UPLINK4}
route add {NODE_LOCAL4}/32 via {NODE_UPLINK4}
route add {PODS6} via {NODE_UPLINK6}
route add {NODE_LOCAL6}/128 via {NODE_UPLINK6}
""")
    internet.ip(f"""neigh replace {NODE_UPLINK4} lladdr {mac(0, 1)} dev eth0 nud permanent
neigh replace {NODE_UPLINK6} lladdr {mac(0, 1)} dev eth0 nud permanent
""")
    node.ip(f"""neigh replace {INTERNET4} lladdr {mac(0, 2)} dev uplink0 nud permanent
neigh replace {INTERNET6} lladdr {mac(0, 2)} dev uplink0 nud permanent
route add default via {INTERNET4}
route add ::/0 via {INTERNET6}
""")


def make_pod(node: Namespace, number: int) -> Pod:
    namespace = Namespace(f"pod{number}")
    namespace.sysctl(ipv6__conf__default__accept_dad=0)
    pod = Pod(namespace, f"vethpod{number}", f"10.244.0.{number}", f"fd00:10:244::{number:x}")
    node.ip(f"""link add {pod.interface} address {mac(number, 1)} type veth peer name eth0 \
address {mac(number, 2)} netns {namespace.pid}
addr add {GATEWAY4}/32 dev {pod.interface}
addr add {GATEWAY6}/64 dev {pod.interface} nodad
link set {pod.interface} up
route add {pod.v4}/32 dev {pod.interface}
route add {pod.v6}/128 dev {pod.interface}
neigh replace {pod.v4} lladdr {mac(number, 2)} dev {pod.interface} nud permanent
neigh replace {pod.v6} lladdr {mac(number, 2)} dev {pod.interface} nud permanent
""")
    namespace.ip(f"""addr add {pod.v4}/32 dev eth0
addr add {pod.v6}/128 dev eth0 nodad
link set eth0 up
route add {GATEWAY4}/32 dev eth0 scope link
neigh replace {GATEWAY4} lladdr {mac(number, 1)} dev eth0 nud permanent
neigh replace {GATEWAY6} lladdr {mac(number, 1)} dev eth0 nud permanent
route add default via {GATEWAY4} dev eth0 src {pod.v4}
route add ::/0 via {GATEWAY6} dev eth0 src {pod.v6}
""")
    for path, text in (("/etc/resolv.conf", POD_RESOLV_CONF), ("/etc/nsswitch.conf", NSSWITCH),
                       ("/etc/hosts", HOSTS)):
        namespace.write(path, text)
    return pod


class Lab:
    """All of it. close() ends it; so does this process's end."""

    def __init__(self, pods: int = 4) -> None:
        self._open: list[Namespace] = []
        try:
            self.node = self._keep(make_node())
            self.internet = Internet(self._keep(Namespace("internet")))
            make_uplink(self.node, self.internet.namespace)
            self.pods = [make_pod(self.node, i + 1) for i in range(pods)]
            self._open += [p.namespace for p in self.pods]
            self.node.write("/etc/resolv.conf", "".join(
                f"nameserver {a}\n" for a in self.internet.dns_addresses))
            self.internet.start()
        except BaseException:
            self.close()
            raise

    def _keep(self, namespace: Namespace) -> Namespace:
        self._open.append(namespace)
        return namespace

    def close(self) -> None:
        for namespace in self._open:
            namespace.close()
        self._open = []
