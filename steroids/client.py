"""HTTP to the controller, over its unix socket or a TCP port: for the CLI and for the runner.

Written for speed of start: importing httpx takes longer (0.15 s) than a whole `steroids ps`, and
the standard library's client brings TLS and e-mail (0.03 s), at every command and every start of a
runner. What is spoken is HTTP/1.0, one request per connection: the answer ends where the connection
does, so there are no chunks to put together and nothing to keep alive.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from steroids.errors import ControllerUnavailable, SteroidsError, UsageError

T = TypeVar("T")
MAX_HEAD_BYTES = 65_536
TRIES = 5
"""To find a controller that listens; each may start one."""


def connect_when_there_is_room(connection: socket.socket, address: str, timeout_s: float) -> None:
    """Linux does not wait when more are waiting already than a unix socket has places for.

    Raises `BlockingIOError` when that is so for `timeout_s`, and as `connect` does.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.connect(address)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


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


class Listener:
    """Is told what the other end is, and has a say in what its answers mean."""

    def heard(self, version: str | None) -> None:
        """An answer came from a controller of that version; None: from one that says none."""

    def judged(self, error: SteroidsError) -> SteroidsError:
        """What to raise instead of an error that a client and a controller of the same version
        never get."""
        return error


class _Unreadable(ControllerUnavailable):
    """An answer that came, and is not what was asked for."""


@contextlib.contextmanager
def _talking(kind: type[ControllerUnavailable] = ControllerUnavailable) -> Iterator[None]:
    """Whatever goes wrong on the line is one error; what the caller does in between is not."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise kind(
            f"The controller does not answer ({error or type(error).__name__})",
            hint="steroids daemon status",
        ) from error


class _Answer:
    """The head of an answer, and its body to be read. Raises `ControllerUnavailable`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left: int | None = None
        self.version: str | None = None
        with _talking():
            words = file.readline(MAX_HEAD_BYTES).split(maxsplit=2)
            if len(words) < 2:
                raise OSError("it closed the connection")
            self.status = int(words[1])
            while (line := file.readline(MAX_HEAD_BYTES)) not in (b"\r\n", b"\n"):
                name, colon, value = line.partition(b":")
                if not colon:
                    raise OSError("its answer was cut off")
                if name.lower() == b"content-length":
                    self._left = int(value)
                elif name.lower() == b"x-steroids-version":
                    self.version = value.strip()[:40].decode("ascii", "replace")

    def read(self) -> bytes:
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        """The body in pieces."""
        while piece := self._piece():
            yield piece

    def lines(self) -> Iterator[bytes]:
        """The lines of a body of unknown length; half a line, left by a crash, is none."""
        while (line := self._line()).endswith(b"\n"):
            yield line

    def _piece(self) -> bytes:
        if self._left == 0:
            return b""
        with _talking():
            piece = self._file.read(65_536 if self._left is None else min(65_536, self._left))
            if self._left is not None:
                if not piece:
                    raise OSError("its answer was cut off")
                self._left -= len(piece)
        return piece

    def _line(self) -> bytes:
        with _talking():
            return self._file.readline()


class Client:
    """One controller, found by its socket, or its host and port. A call opens a connection of its
    own, so an instance may be used from several threads and outlives restarts of the controller."""

    def __init__(
        self,
        where: Path | tuple[str, int],
        *,
        token: str | None = None,
        timeout_s: float = 60,
        before: Callable[[], None] | None = None,
        listener: Listener | None = None,
    ) -> None:
        """`before` is called before each connection: the CLI's chance to start the controller.
        With it, a connection that nobody takes is tried again."""
        self._where = where
        self._before = before
        self._listener = listener or Listener()
        self._timeout_s = timeout_s
        self._token = token

    def get(self, path: str, reply: type[T], *, timeout_s: float | None = None) -> T:
        return self._call("GET", path, reply, b"", timeout_s)

    def get_plain(self, path: str) -> dict[str, Any]:
        """The answer as plain JSON: for `ps`, since loading the types that an answer is decoded
        into (and msgspec) takes half as long again as all the rest of it."""
        import json

        with self._open("GET", path, b"") as answer:
            raw = answer.read()
        with self._reading():
            plain: dict[str, Any] = json.loads(raw)
        return plain

    def post(self, path: str, body: object, reply: type[T], *, timeout_s: float | None = None) -> T:
        return self._call("POST", path, reply, encoded(body), timeout_s)

    def poll(self, path: str, body: object, reply: type[T], *, timeout_s: float) -> T | None:
        """A call that is answered when there is something, or with null in the end."""
        maybe: Any = reply | None
        return cast("T | None", self._call("POST", path, maybe, encoded(body), timeout_s))

    def send(self, method: str, path: str, body: object = None) -> None:
        """A call whose answer is of no interest. Raises as `get` does."""
        with self._open(method, path, encoded(body)) as answer:
            answer.read()

    def upload(self, path: str, source: IO[bytes]) -> None:
        """Send a file that is on disk, from its beginning."""
        with self._open("PUT", path, source) as answer:
            answer.read()

    def download(self, path: str, target: IO[bytes]) -> bool:
        """Write the answer's body to `target`; False when there is none (204)."""
        with self._open("GET", path, b"") as answer:
            if answer.status == 204:
                return False
            for piece in answer:
                target.write(piece)
            return True

    def stream(
        self, path: str, item: type[T], *, method: str = "GET", body: object = None
    ) -> Iterator[T]:
        """The JSON lines of an answer that goes on; blank lines keep it alive."""
        raw = encoded(body)
        with self._open(method, path, raw) as answer:
            for line in answer.lines():
                if line.strip():
                    with self._reading():
                        found = decode(line, item)
                    yield found

    def _call(
        self, method: str, path: str, reply: type[T], body: bytes, timeout_s: float | None
    ) -> T:
        with self._open(method, path, body, timeout_s=timeout_s) as answer:
            raw = answer.read()
        with self._reading():
            return decode(raw, reply)

    @contextlib.contextmanager
    def _open(
        self, method: str, path: str, body: bytes | IO[bytes], *, timeout_s: float | None = None
    ) -> Iterator[_Answer]:
        with self._connected(timeout_s or self._timeout_s) as connection:
            with _talking():
                self._ask(connection, method, path, body)
            with connection.makefile("rb") as file:
                answer = _Answer(file)
                self._listener.heard(answer.version)
                if answer.status >= 400:
                    from steroids.wire.error import to_exception

                    raise self._listener.judged(to_exception(answer.read(), answer.status))
                yield answer

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Of what was answered, with the types that this version has for it."""
        try:
            with _talking(_Unreadable):
                yield
        except _Unreadable as error:
            raise self._listener.judged(error) from error.__cause__

    def _connected(self, timeout_s: float) -> socket.socket:
        """Nothing has been sent when it fails, so it may be tried again: a controller that nobody
        needs ends by itself, also just when somebody has found it."""
        for _ in range(TRIES - 1 if self._before else 0):
            with contextlib.suppress(ConnectionError, FileNotFoundError):
                return self._connection(timeout_s)
        with _talking():
            return self._connection(timeout_s)

    def _connection(self, timeout_s: float) -> socket.socket:
        if self._before:
            self._before()
        if isinstance(self._where, tuple):
            return _connection_to(*self._where, timeout_s)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_s)
            with short_path(self._where) as address:
                connect_when_there_is_room(connection, address, timeout_s)
        except BaseException:
            connection.close()
            raise
        return connection

    def _ask(
        self, connection: socket.socket, method: str, path: str, body: bytes | IO[bytes]
    ) -> None:
        size = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
        head = [f"{method} {path} HTTP/1.0", "Host: controller", f"Content-Length: {size}"]
        if self._token:
            head.append(f"Authorization: Bearer {self._token}")
        connection.sendall("\r\n".join([*head, "", ""]).encode("ascii"))
        # An answer may come before all has been sent (too large, not allowed): that is what to
        # tell, and not that the connection broke.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if isinstance(body, bytes):
                connection.sendall(body)
            else:
                connection.sendfile(body)


def _connection_to(host: str, port: int, timeout_s: float) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout_s)
    except OSError as error:
        raise ControllerUnavailable(
            f"No controller answers at {host}, port {port} ({error.strerror or error})",
            hint="there: steroids daemon status",
        ) from error


def encoded(body: object) -> bytes:
    """None is no body at all."""
    if body is None:
        return b""
    from steroids.wire.body import encode

    try:
        return encode(body)
    except UnicodeEncodeError as error:
        # A command line may have bytes that are no text; Python hands them on as surrogates.
        text = error.object[:60].encode("ascii", "backslashreplace").decode()
        raise UsageError(f"Not UTF-8 text: {text}", hint="locale") from None


def decode(raw: bytes, kind: type[T]) -> T:
    """Raises `ValueError`."""
    import msgspec

    return msgspec.json.decode(raw, type=kind)
