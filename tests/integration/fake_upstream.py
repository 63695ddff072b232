# SPDX-License-Identifier: Apache-2.0
"""An upstream server that does what a test tells it to, over UDP and TCP."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from dnsclient import frame, read_frame
from lab import NODE_UPLINK4
from namespace import Namespace, family_of

Reply = "bytes | Later | Raw | Close"
Script = Callable[["Question"], "Reply | list[Reply] | None"]


@dataclass(frozen=True)
class Later:
    """A reply that comes some time after the question."""

    seconds: float
    wire: bytes


@dataclass(frozen=True)
class Raw:
    """Bytes for a TCP connection as they are, without a length in front."""

    wire: bytes


@dataclass(frozen=True)
class Close:
    """The end of a TCP connection."""


@dataclass(frozen=True)
class Question:
    message: dns.message.Message
    transport: str  # "udp" or "tcp"
    port: int  # the asker's
    host: str = ""  # which of ours was asked

    @property
    def name(self) -> str:
        return self.message.question[0].name.to_text(omit_final_dot=True).lower()

    @property
    def type(self) -> str:
        return dns.rdatatype.to_text(self.message.question[0].rdtype)


def answer(question: Question, *records: str, ttl: int = 300, rcode: str = "NOERROR",
           soa: tuple[str, int, str] | None = None) -> bytes:
    """records: "OWNER TYPE RDATA"; the owner "@" is the question's name, in its letters.
    soa: owner, TTL and RDATA of one in the authority section."""
    reply = dns.message.make_response(question.message, recursion_available=True)
    reply.set_rcode(dns.rcode.from_text(rcode))
    for record in records:
        owner, rdtype, rdata = record.split(maxsplit=2)
        name = question.message.question[0].name if owner == "@" else owner + "."
        reply.answer.append(dns.rrset.from_text(name, ttl, "IN", rdtype, rdata))
    if soa:
        owner, soa_ttl, rdata = soa
        reply.authority.append(dns.rrset.from_text(owner + ".", soa_ttl, "IN", "SOA", rdata))
    return reply.to_wire(max_size=65535)


def addresses(question: Question, v4: str, v6: str, ttl: int = 300) -> bytes:
    if question.type == "A":
        return answer(question, f"@ A {v4}", ttl=ttl)
    if question.type == "AAAA":
        return answer(question, f"@ AAAA {v6}", ttl=ttl)
    return answer(question)


def truncated(question: Question) -> bytes:
    reply = dns.message.make_response(question.message, recursion_available=True)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def silence(question: Question) -> None:
    return None


def plain(reply: bytes | Raw | Close) -> bytes:
    assert isinstance(reply, bytes), "for TCP only"
    return reply


class FakeUpstream:
    """Answers by script, from a thread of its own; a script that raises fails the test."""

    def __init__(self, place: Namespace, *hosts: str) -> None:
        self.script: Script = silence
        self.failures: list[BaseException] = []
        self._asked: list[Question] = []
        self._changed = threading.Condition()
        self._held: list[Callable[[], None]] = []
        self.holding = False  # keep what would be sent until release()
        self._stop_read, self._stop_write = os.pipe()
        self._hosts = hosts
        self._udp = [place.inside(lambda h=h: self._bind(h, socket.SOCK_DGRAM)) for h in hosts]
        self._tcp = [place.inside(lambda h=h: self._bind(h, socket.SOCK_STREAM)) for h in hosts]
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name="upstream", daemon=True)
        self._thread.start()

    @staticmethod
    def _bind(host: str, kind: int) -> socket.socket:
        s = socket.socket(family_of(host), kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, 53))
        if kind == socket.SOCK_STREAM:
            s.listen(128)
        return s

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        for s in self._udp + self._tcp + self._connections:
            s.close()
        os.close(self._stop_read)
        os.close(self._stop_write)
        if self.failures:
            raise self.failures[0]

    def reset(self) -> None:
        """Silent, forgetful, and holding nothing back: as a test finds it."""
        with self._changed:
            self.script, self.holding = silence, False
            self._asked.clear()
            self._held.clear()

    def asked(self, name: str | None = None, rdtype: str | None = None,
              host: str | None = None) -> list[Question]:
        with self._changed:
            return [q for q in self._asked if name in (None, q.name)
                    and rdtype in (None, q.type) and host in (None, q.host)]

    def forge(self, port: int, wire: bytes, asker: str = NODE_UPLINK4) -> None:
        """A datagram from the first of our addresses that no question led to."""
        self._udp[0].sendto(wire, (asker, port))

    def wait_asked(self, count: int, name: str, timeout: float = 5) -> None:
        with self._changed:
            ok = self._changed.wait_for(
                lambda: sum(q.name == name for q in self._asked) >= count, timeout)
        assert ok, f"{name} was not asked {count} times"

    def release(self) -> None:
        with self._changed:
            self.holding = False
            held, self._held = self._held, []
        for send in held:
            send()

    def _serve(self) -> None:
        while True:
            watched = [self._stop_read, *self._udp, *self._tcp, *self._connections]
            ready, _, _ = select.select(watched, [], [])
            if self._stop_read in ready:
                return
            for s in ready:
                if s in self._udp:
                    self._serve_udp(s, self._hosts[self._udp.index(s)])
                elif s in self._tcp:
                    self._connections.append(s.accept()[0])
                else:
                    self._serve_tcp(s)

    def _serve_udp(self, s: socket.socket, host: str) -> None:
        try:
            data, peer = s.recvfrom(65535)
        except ConnectionError:
            return  # an ICMP error about an earlier reply
        self._handle(data, "udp", peer[1], host, lambda r: s.sendto(plain(r), peer))

    def _serve_tcp(self, s: socket.socket) -> None:
        def send(reply: bytes | Raw | Close) -> None:
            if isinstance(reply, Close):
                s.shutdown(socket.SHUT_RDWR)
            else:
                s.sendall(reply.wire if isinstance(reply, Raw) else frame(reply))

        try:
            data = read_frame(s)
            host, port = s.getsockname()[0], s.getpeername()[1]
        except (EOFError, OSError):
            self._connections.remove(s)
            s.close()
            return
        self._handle(data, "tcp", port, host, send)

    def _handle(self, data: bytes, transport: str, port: int, host: str,
                send: Callable[[bytes | Raw | Close], object]) -> None:
        def send_safely(reply: bytes | Raw | Close) -> None:
            try:
                send(reply)
            except OSError:
                pass  # who asked has gone

        try:
            question = Question(dns.message.from_wire(data), transport, port, host)
            with self._changed:
                self._asked.append(question)
                self._changed.notify_all()
                script = self.script
            replies = script(question)
        except BaseException as e:
            self.failures.append(e)
            return
        for reply in replies if isinstance(replies, list) else [replies]:
            if reply is None:
                continue
            if isinstance(reply, Later):
                later = threading.Timer(reply.seconds, send_safely, (reply.wire,))
                later.daemon = True
                later.start()
                continue
            with self._changed:
                if self.holding:
                    self._held.append(lambda r=reply: send_safely(r))
                    continue
            send_safely(reply)
