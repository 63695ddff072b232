# SPDX-License-Identifier: Apache-2.0
"""Broken messages, made from good ones that were taken apart: the same ones each time.

    /usr/bin/python3 tests/integration/malformed.py FOLDER COUNT

writes COUNT queries and COUNT replies to files, as inputs for the fuzz targets.
"""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

A, CNAME, SOA, MX, TXT, AAAA, OPT, HTTPS = 1, 5, 6, 15, 16, 28, 41, 65
TYPES = (0, A, 2, CNAME, SOA, 12, MX, TXT, 24, AAAA, 33, 35, 39, OPT, 46, 64, HTTPS, 249, 250, 255)
WORDS = (0, 1, 2, 3, 255, 256, 4095, 4096, 32768, 65535)
TO_QUESTION = b"\xc0\x0c"
LARGEST = 4000  # a query of more than 4,096 bytes is not read at all

Name = bytes | Callable[[int], bytes]  # of where it stands in the message


def pointer(to: int) -> bytes:
    return struct.pack("!H", 0xc000 | to & 0x3fff)


def ladder(at: int) -> bytes:
    """Each pointer leads to the one before it; the name itself is the last."""
    return b"".join(pointer(at + 2 * i - 2) for i in range(1, 400))


HOSTILE: tuple[Name, ...] = (
    pointer,  # itself
    lambda at: pointer(at + 2),
    lambda at: pointer(at + 1),
    lambda at: pointer(at + 2) + pointer(at),
    lambda at: b"\1x" + pointer(at),
    lambda at: pointer(max(at - 1, 0)),
    lambda at: b"\0" + ladder(at + 1),
    ladder,
    b"\xff\xff", b"\xc0", b"\xc0\x00", b"\xc0\x02", b"\x40\0", b"\x80\0", b"\x41\1", b"\xbf\0",
    b"\x3f" + b"x" * 63 + b"\0", b"\x3f" + b"x" * 62 + b"\0", b"\x3fx", b"",
    (b"\x3f" + b"x" * 63) * 4 + b"\0", b"\1x" * 127 + b"\0", b"\1x" * 128 + b"\0",
    b"\1x" * 127 + TO_QUESTION, b"\3a.b\0", b"\1\0\0", b"\0")


def stands(name: Name, at: int) -> bytes:
    return name if isinstance(name, bytes) else name(at)


@dataclass
class Record:
    owner: Name
    rdtype: int
    rdclass: int
    ttl: int
    rdata: Name
    length: int | None = None  # None: as it is

    def wire(self, at: int) -> bytes:
        head = stands(self.owner, at)
        rdata = stands(self.rdata, at + len(head) + 10)
        length = len(rdata) if self.length is None else self.length & 0xffff
        return head + struct.pack("!HHIH", self.rdtype, self.rdclass, self.ttl, length) + rdata


@dataclass
class Packet:
    ident: int
    flags: int
    name: Name
    rdtype: int
    rdclass: int = 1
    sections: list[list[Record]] = field(default_factory=lambda: [[], [], []])
    counts: list[int] | None = None
    asked: int = 1  # how often the question stands there

    def wire(self) -> bytes:
        counts = self.counts or [self.asked, *(len(s) for s in self.sections)]
        out = struct.pack("!HH4H", self.ident, self.flags, *(c & 0xffff for c in counts))
        for _ in range(self.asked):
            out += stands(self.name, len(out)) + struct.pack("!HH", self.rdtype, self.rdclass)
        for record in (r for section in self.sections for r in section):
            out += record.wire(len(out))
        return out


def opt(data: bytes = b"", owner: Name = b"\0", ttl: int = 0) -> Record:
    return Record(owner, OPT, 1232, ttl, data)


def query(ident: int, name: bytes, rdtype: int = A) -> Packet:
    return Packet(ident, 0x0100, name, rdtype,
                  sections=[[], [], [opt(struct.pack("!HH", 10, 8) + b"12345678")]])


def reply(ident: int, name: bytes, rdtype: int = A) -> Packet:
    """With a chain, addresses, and something in every section."""
    target = b"\4edge" + TO_QUESTION
    address = bytes([198, 51, 100, 81]) if rdtype == A else b"\x20\1\x0d\xb8" + bytes(11) + b"\x81"
    answers = [Record(TO_QUESTION, CNAME, 1, 0, target),
               *(Record(target, rdtype, 1, 0, address[:-1] + bytes([i])) for i in (81, 82))]
    soa = Record(TO_QUESTION, SOA, 1, 0, b"\1a\0\1b\0" + bytes(20))
    more = [Record(target, MX, 1, 0, b"\0\1" + TO_QUESTION),
            Record(target, TXT, 1, 0, b"\3one\3two"),
            Record(target, HTTPS, 1, 0, b"\0\1\0\0\1\0\3\2h2"), opt()]
    return Packet(ident, 0x8180, name, rdtype, sections=[answers, [soa], more])


def any_record(p: Packet, r: random.Random) -> Record:
    records = [record for section in p.sections for record in section]
    return r.choice(records) if records else opt()


def counts_lie(p: Packet, r: random.Random) -> None:
    p.counts = [p.asked, *(len(s) for s in p.sections)]
    p.counts[r.randrange(4)] = r.choice(WORDS)


def length_lies(p: Packet, r: random.Random) -> None:
    record = any_record(p, r)
    record.length = r.choice((*WORDS, *range(len(stands(record.rdata, 12)) + 3)))


def owner_is_hostile(p: Packet, r: random.Random) -> None:
    any_record(p, r).owner = r.choice(HOSTILE)


def question_is_hostile(p: Packet, r: random.Random) -> None:
    p.name = r.choice(HOSTILE)


def rdata_is_hostile(p: Packet, r: random.Random) -> None:
    any_record(p, r).rdata = r.choice((*HOSTILE, r.randbytes(r.randrange(40)), b"\0\1"))


def type_is_another(p: Packet, r: random.Random) -> None:
    any_record(p, r).rdtype = r.choice(TYPES)


def class_is_another(p: Packet, r: random.Random) -> None:
    any_record(p, r).rdclass = r.choice((0, 3, 4, 254, 255, 65535))


def ttl_is_another(p: Packet, r: random.Random) -> None:
    any_record(p, r).ttl = r.choice((1 << 31, (1 << 32) - 1, 1 << 16, 1 << 24, 0x8000))


def opt_is_elsewhere(p: Packet, r: random.Random) -> None:
    data = r.choice((b"", b"\0", b"\0\3\0\0", b"\0\x0d\0\1x", b"\0\x0a\xff\xff", b"\0\x0f\0\1\0"))
    p.sections[r.randrange(3)].insert(0, opt(data, r.choice((b"\0", TO_QUESTION, *HOSTILE)),
                                             r.choice((0, 1 << 16, 1 << 24, 0xffff))))


def section_is_double(p: Packet, r: random.Random) -> None:
    p.sections[r.randrange(3)] += r.choice(p.sections) * r.choice((1, 2, 8))


def records_are_many(p: Packet, r: random.Random) -> None:
    p.sections[r.randrange(3)] += [Record(r.choice((b"\0", TO_QUESTION)), r.choice(TYPES), 1, 0,
                                          b"")] * r.choice((10, 100, 300))


def question_is_double(p: Packet, r: random.Random) -> None:
    p.asked = r.choice((0, 2, 3, 50))


def flags_are_others(p: Packet, r: random.Random) -> None:
    p.flags ^= 1 << r.randrange(15)


CHANGES = (counts_lie, length_lies, owner_is_hostile, rdata_is_hostile, type_is_another,
           class_is_another, ttl_is_another, opt_is_elsewhere, section_is_double,
           records_are_many, question_is_double, flags_are_others, question_is_hostile)


def scratched(wire: bytes, r: random.Random) -> bytes:
    """Changes that know nothing of what stands where."""
    at = r.randrange(len(wire))
    return r.choice((wire[:at] + bytes([wire[at] ^ 1 << r.randrange(8)]) + wire[at + 1:],
                     wire[:at] + r.randbytes(r.randrange(1, 9)) + wire[at:],
                     wire[:at] + wire[at + 1:], wire + r.randbytes(r.randrange(1, 300)),
                     wire[:at] + b"\xc0" + wire[at + 1:], wire[:at] + b"\xff" * len(wire[at:])))


def broken(good: Packet, number: int, seed: int = 1) -> bytes:
    """The number-th of endlessly many: first cut at each byte, then changed."""
    wire = good.wire()
    if number < len(wire):
        return wire[:number]
    r = random.Random(f"{seed}-{number}")
    for change in r.choices(CHANGES, k=r.choice((0, 1, 1, 1, 2, 3))):
        change(good, r)
    wire = good.wire()[:LARGEST]
    return scratched(wire, r) if r.random() < 0.3 else wire


def main(folder: str, count: str) -> None:
    for kind, make in (("query", query), ("reply", reply)):
        for i in range(int(count)):
            wire = broken(make(i, b"\3one\7example\0", (A, AAAA)[i % 2]), i)
            (Path(folder) / f"made-{kind}-{i:05d}.bin").write_bytes(wire)


if __name__ == "__main__":
    main(*sys.argv[1:])
