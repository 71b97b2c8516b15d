"""HTTP to the controller, over its unix socket: for the CLI and for the runner.

The standard library's client and not httpx: importing httpx takes longer (0.15 s) than a whole
`steroids ps`, and the runner starts with it.
"""

import contextlib
import http.client
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import msgspec

from steroids.errors import ControllerUnavailable
from steroids.wire.body import encode
from steroids.wire.error import to_exception

T = TypeVar("T")


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """The path, in a form that fits the 107 bytes of a unix socket's address on Linux."""
    if len(os.fsencode(path)) <= 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("controller", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            with short_path(self._path) as address:
                self.sock.connect(address)
        except OSError:
            self.sock.close()
            raise


class Client:
    """One controller, found by its socket. A call opens a connection of its own, so an instance
    may be used from several threads and outlives restarts of the controller."""

    def __init__(
        self,
        socket_path: Path,
        *,
        token: str | None = None,
        timeout_s: float = 60,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """`before` is called before each connection: the CLI's chance to start the controller."""
        self._before = before
        self.socket_path = socket_path
        self._timeout_s = timeout_s
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, reply: type[T], *, timeout_s: float | None = None) -> T:
        return self._call("GET", path, reply, None, timeout_s)

    def post(self, path: str, body: object, reply: type[T], *, timeout_s: float | None = None) -> T:
        return self._call("POST", path, reply, encode(body), timeout_s)

    def poll(self, path: str, body: object, reply: type[T], *, timeout_s: float) -> T | None:
        """A call that is answered when there is something, or with null in the end."""
        maybe: Any = reply | None
        return cast("T | None", self._call("POST", path, maybe, encode(body), timeout_s))

    def send(self, method: str, path: str, body: object = None) -> None:
        """A call whose answer is of no interest. Raises as `get` does."""
        with self._open(method, path, encode(body) if body is not None else b"") as answer:
            answer.read()

    def upload(self, path: str, source: IO[bytes]) -> None:
        with self._open("PUT", path, source, kind="application/octet-stream") as answer:
            answer.read()

    def download(self, path: str, target: IO[bytes]) -> bool:
        """Write the answer's body to `target`; False when there is none (204)."""
        with self._open("GET", path, b"") as answer:
            if answer.status == 204:
                return False
            shutil.copyfileobj(answer, target)
            return True

    def stream(
        self, path: str, item: type[T], *, method: str = "GET", body: object = None
    ) -> Iterator[T]:
        """The JSON lines of an answer that goes on; blank lines keep it alive."""
        raw = encode(body) if body is not None else b""
        with self._open(method, path, raw, timeout_s=self._timeout_s) as answer:
            while line := answer.readline():
                if line.strip():
                    yield msgspec.json.decode(line, type=item)

    def _call(
        self, method: str, path: str, reply: type[T], body: bytes | None, timeout_s: float | None
    ) -> T:
        with self._open(method, path, body or b"", timeout_s=timeout_s) as answer:
            return msgspec.json.decode(answer.read(), type=reply)

    @contextlib.contextmanager
    def _open(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes],
        *,
        kind: str = "application/json",
        timeout_s: float | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        self._before()
        connection = _Connection(self.socket_path, timeout_s or self._timeout_s)
        try:
            headers = {**self._headers, "Content-Type": kind}
            try:
                connection.request(method, path, body=body or None, headers=headers)
                answer = connection.getresponse()
                if answer.status >= 400:
                    raise to_exception(answer.read(), answer.status)
                yield answer
            except (OSError, http.client.HTTPException) as error:
                raise ControllerUnavailable(
                    f"The controller does not answer ({error or type(error).__name__})",
                    hint="steroids daemon status",
                ) from error
        finally:
            connection.close()
