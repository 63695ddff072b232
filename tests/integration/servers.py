# SPDX-License-Identifier: Apache-2.0
"""Servers of the lab's internet, run there as a program:

    servers.py CERTIFICATE KEY SINK_PORT ECHO_PORT ECHO_ADDRESS...

HTTP on 80, HTTPS on 443, a TCP port that accepts and forgets, and a UDP echo. "ready" on
standard error says that all of them listen.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTTP_PORT, HTTPS_PORT = 80, 443
BACKLOG = 65535


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "lab"
    sys_version = ""

    def do_GET(self) -> None:
        body = b"hello\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is nothing to report."""


class TlsServer(Server):
    def __init__(self, port: int, certificate: str, key: str) -> None:
        super().__init__(("::", port), Page)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        """The handshake belongs to the client's thread, not to the one that accepts."""
        request.settimeout(10)
        super().finish_request(self._context.wrap_socket(request, server_side=True),
                               client_address)


def sink(port: int) -> None:
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                    backlog=BACKLOG)

    def body() -> None:
        while True:
            try:
                listener.accept()[0].close()
            except ConnectionError:
                pass

    threading.Thread(target=body, daemon=True).start()


def echo(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, port))

    def body() -> None:
        while True:
            try:
                data, peer = server.recvfrom(65535)
                server.sendto(data, peer)
            except ConnectionError:
                pass

    threading.Thread(target=body, daemon=True).start()


def main(argv: list[str]) -> None:
    certificate, key, sink_port, echo_port, *addresses = argv
    sink(int(sink_port))
    for address in addresses:
        echo(address, int(echo_port))
    for server in (Server(("::", HTTP_PORT), Page), TlsServer(HTTPS_PORT, certificate, key)):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", file=sys.stderr, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
