# SPDX-License-Identifier: Apache-2.0
"""What the internet's DNS holds: one root zone with every name that the tests ask for."""

from __future__ import annotations

import ipaddress

GOOGLE4, GOOGLE6 = "198.51.100.80", "2001:db8::80"
EDGE4, EDGE6 = "198.51.100.90", "2001:db8::90"
UNLISTED4, UNLISTED6 = "203.0.113.66", "2001:db8:66::66"
PUBLIC4, PUBLIC6 = "198.51.100.81", "2001:db8::81"
MANY = 60
# 44.128.0.0/16 is AMPRNet's range for testing: documentation ranges are too small for a burst.
BURST4 = ipaddress.ip_network("44.128.0.0/16")
BURST6 = ipaddress.ip_network("2001:db8:b::/48")
BURST_NAMES = 20000

FIXED = f"""
$ORIGIN .
$TTL 300
. 300 SOA a.root. hostmaster.root. 1 3600 600 86400 60
. NS a.root.
a.root. A 198.51.100.53
google.com. A {GOOGLE4}
google.com. AAAA {GOOGLE6}
www.google.com. CNAME google.com.
unlisted.example. A {UNLISTED4}
unlisted.example. AAAA {UNLISTED6}
www.example.com. 200 CNAME www.example.com.edge.example.net.
www.example.com.edge.example.net. 100 CNAME e1.cdn.example.
e1.cdn.example. 300 A {EDGE4}
e1.cdn.example. 300 AAAA {EDGE6}
four.example.com. A {PUBLIC4}
six.example.com. AAAA {PUBLIC6}
text.example.com. TXT "text"
zero.example.com. 0 A 198.51.100.82
zero.example.com. 0 AAAA 2001:db8::82
short.example.com. 2 A 198.51.100.83
short.example.com. 2 AAAA 2001:db8::83
long.example.com. 604800 A 198.51.100.84
long.example.com. 604800 AAAA 2001:db8::84
*.wild.example.com. A 198.51.100.85
*.wild.example.com. AAAA 2001:db8::85
private.example.com. A 10.1.2.3
private.example.com. AAAA fd12::3
metadata.example.com. A 169.254.169.254
metadata.example.com. AAAA ::ffff:169.254.169.254
mixed.example.com. A 10.1.2.3
mixed.example.com. A {PUBLIC4}
mixed.example.com. AAAA fd12::3
mixed.example.com. AAAA {PUBLIC6}
inward.example.com. CNAME private.example.com.
loop.example.com. CNAME pool.example.com.
pool.example.com. CNAME loop.example.com.
service.example.com. HTTPS 1 . alpn=h2 ipv4hint={PUBLIC4} ipv6hint={PUBLIC6}
service.example.com. A {PUBLIC4}
"""


def chain(length: int) -> str:
    """chainN.example.com: N links before the address."""
    links = [f"chain{length}.example.com."] + [
        f"link{i}.chain{length}.example.com." for i in range(1, length + 1)]
    text = "".join(f"{a} CNAME {b}\n" for a, b in zip(links, links[1:]))
    return text + f"{links[-1]} A {PUBLIC4}\n{links[-1]} AAAA {PUBLIC6}\n"


def many() -> str:
    return "".join(f"{name}many.example.com. A 203.0.113.{100 + i}\n"
                   f"{name}many.example.com. AAAA 2001:db8:a::{i + 1:x}\n"
                   for name in ("", "*.") for i in range(MANY))


def burst_name(i: int) -> str:
    return f"n{i}.burst.example.com"


def burst() -> str:
    """Every name has addresses of its own, or only the first would need a lease."""
    return "".join(f"{burst_name(i)}. A {BURST4[i + 1]}\n{burst_name(i)}. AAAA {BURST6[i + 1]}\n"
                   for i in range(BURST_NAMES))


def text() -> str:
    return FIXED + chain(8) + chain(9) + many() + burst()
