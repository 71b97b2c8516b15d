"""The way to an engine's unix socket.

The SDK's own leaves a socket open whenever the engine cannot be reached, which is what this
project has to live with for as long as an engine is away.
"""

import socket
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

_CONNECTIONS = 64
"""Kept open for reuse; more are made when more threads ask at once."""


class _SocketConnection(HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.settimeout(self.timeout)
            opened.connect(str(self._path))
        except BaseException:
            opened.close()
            raise
        self.sock = opened


class _SocketPool(HTTPConnectionPool):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s, maxsize=_CONNECTIONS)
        self._path = path
        self._timeout_s = timeout_s

    def _new_conn(self) -> _SocketConnection:
        return _SocketConnection(self._path, self._timeout_s)


class SocketAdapter(HTTPAdapter):
    """Sends all requests of a session to one unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._pool = _SocketPool(path, timeout_s)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> _SocketPool:
        return self._pool

    def get_connection(self, *args: Any, **kwargs: Any) -> _SocketPool:
        """What requests before 2.32 calls."""
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def close(self) -> None:
        self._pool.close()
        super().close()
