"""A container's output, followed or not."""

import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from docker.errors import APIError
from urllib3.exceptions import ReadTimeoutError

from steroids.engines.container_errors import answers, is_gone, unavailable
from steroids.engines.container_wire import call
from steroids.engines.spec import Handle, State, Status

_OVERLAP_S = 1.0
_LAST_LOOK_S = 2.0
_POLL_S, _POLL_MAX_S = 0.1, 2.0

Look = Callable[[Handle], State]


def read(
    client: Any, handle: Handle, *, follow: bool, tail: int | None, look: Look
) -> Iterator[bytes]:
    """One empty chunk as soon as the stream is open, then the output's chunks, some empty.

    A quiet container is no reason to end, a quiet engine is: after a minute of silence the stream
    is opened anew, which fails when the engine hangs.
    """
    with answers(handle.engine, _doing(handle)):
        if not follow:
            yield from _stream(client, handle, tail=_tail(tail))
        elif handle.engine == "podman":
            yield from _follow_by_position(client, handle, tail, look)
        else:
            yield from _follow_by_time(client, handle, tail, look)


def _follow_by_time(client: Any, handle: Handle, tail: int | None, look: Look) -> Iterator[bytes]:
    """Docker's follow is complete; after a silence it is taken up where the silence began.

    Nothing was written in that time, so nothing comes twice unless clocks are that far apart.
    """
    window = {"tail": _tail(tail)}
    while True:
        try:
            yield from _stream(client, handle, follow=1, **window)
            return _check_ended(handle, look)
        except ReadTimeoutError:
            window = {"tail": "all", "since": f"{time.time() - _OVERLAP_S:.3f}"}


def _follow_by_position(
    client: Any, handle: Handle, tail: int | None, look: Look
) -> Iterator[bytes]:
    """Podman's own follow skips lines under load, and drops what is left soon after the end.

    What it shows without following is whole. So that is read again and again, from where the last
    reading ended; longer logs less often, so that following one never takes the engine's time.
    """
    position = 0
    if tail is not None:
        position = _tail_begins_at(b"".join(_stream(client, handle, tail="all")), tail)
    ended = False
    while not ended:
        began = time.monotonic()
        ended = look(handle).status is not Status.RUNNING
        try:
            for chunk in _from(position, _stream(client, handle, tail="all")):
                position += len(chunk)
                yield chunk
        except APIError as error:
            if is_gone(error) and ended:
                return
            raise
        if not ended:
            time.sleep(min(_POLL_MAX_S, max(_POLL_S, time.monotonic() - began)))


def _from(position: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) > position or not chunk:
            yield chunk[position:]
        position = max(0, position - len(chunk))


def _tail_begins_at(output: bytes, lines: int) -> int:
    whole = output.splitlines(keepends=True)
    return sum(len(line) for line in whole[: max(0, len(whole) - lines)])


def _stream(client: Any, handle: Handle, **params: Any) -> Iterator[bytes]:
    response = call(
        client,
        "GET",
        f"/containers/{handle.id}/logs",
        params={"stdout": 1, "stderr": 1, **params},
        stream=True,
    )
    try:
        yield b""
        # Frames: 8 bytes of header (stream, length), then the data.
        while header := response.raw.read(8):
            (size_bytes,) = struct.unpack(">4xL", header)
            if size_bytes:
                yield response.raw.read(size_bytes)
    finally:
        response.close()


def _tail(lines: int | None) -> str:
    return "all" if lines is None else str(lines)


def _check_ended(handle: Handle, look: Look) -> None:
    """The output's end comes a moment before the engine says that the container ended."""
    deadline = time.monotonic() + _LAST_LOOK_S
    while look(handle).status is Status.RUNNING:
        if time.monotonic() > deadline:
            raise unavailable(
                handle.engine, _doing(handle), "the stream ended while the container runs"
            )
        time.sleep(0.02)


def _doing(handle: Handle) -> str:
    return f"read the logs of {handle.name}"
