"""A unix socket in front of an engine's, whose connections can be cut in mid-call."""

import re
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

REQUEST, RESPONSE = "request", "response"


class CutProxy:
    """Hands everything on, until a request fits the rule set by `cut`.

    At `REQUEST` the engine never sees it; at `RESPONSE` the engine has done it and the answer is
    lost. `down` closes what is open and refuses what comes.
    """

    def __init__(self, path: Path, target: str) -> None:
        self.address = f"unix://{path}"
        self.cuts = 0
        self._path = path
        self._target = target
        self._rule: tuple[re.Pattern[bytes], str] | None = None
        self._down = False
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._spawn(self._accept)

    def cut(self, request: str, at: str) -> None:
        """Cut the next request whose first line this fits, once."""
        self._rule = (re.compile(request.encode()), at)

    def down(self) -> None:
        self._down = True
        self._path.unlink(missing_ok=True)
        for each in list(self._open):
            _shut(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()
        _shut(self._listener)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        for each in self._open:
            each.close()

    def _spawn(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]  # any
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._down:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self._target)
            self._open += [client, engine]
            lose_answer = threading.Event()
            self._spawn(self._requests, client, engine, lose_answer)
            self._spawn(self._responses, engine, client, lose_answer)

    def _requests(
        self, client: socket.socket, engine: socket.socket, lose_answer: threading.Event
    ) -> None:
        while data := _receive(client):
            if self._rule and self._rule[0].search(data.split(b"\r\n", 1)[0]):
                at, self._rule = self._rule[1], None
                self.cuts += 1
                if at == REQUEST:
                    break
                lose_answer.set()
            _send(engine, data)
        _shut(client)
        _shut(engine)

    def _responses(
        self, engine: socket.socket, client: socket.socket, lose_answer: threading.Event
    ) -> None:
        while data := _receive(engine):
            if lose_answer.is_set():
                break
            _send(client, data)
        _shut(client)
        _shut(engine)


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _send(target: socket.socket, data: bytes) -> None:
    try:
        target.sendall(data)
    except OSError:
        _shut(target)


def _shut(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
