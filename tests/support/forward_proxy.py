"""A little HTTP proxy on this host, as companies have them, that containers can reach."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NOWHERE = ".invalid"
"""Names that no resolver knows: whoever gets an answer from one came through the proxy."""


class ForwardProxy:
    """Answers for names that end with `NOWHERE` itself, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        """Hosts, each time one was asked for."""
        self.logins: set[str] = set()
        """`user:password` of those who sent one."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.seen.append(urlsplit(self.path).hostname or "")
                _, _, login = self.headers.get("Proxy-Authorization", "").partition(" ")
                if login:
                    proxy.logins.add(base64.b64decode(login).decode())
                found = proxy.seen[-1].endswith(NOWHERE)
                content = b"through the proxy\n" if found else b""
                self.send_response(200 if found else 502)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """`host:port`, where containers find it."""
        return f"{host_address()}:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def forward_proxy() -> Iterator[ForwardProxy]:
    made = ForwardProxy()
    try:
        yield made
    finally:
        made.close()


def host_address() -> str:
    """This host's own, as its neighbours see it; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
