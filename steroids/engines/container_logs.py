"""A container's output, followed or not.

Neither engine's own follow is whole: Podman's skips lines under load and drops what is left soon
after the end, Docker's may drop an unfinished last line. What they show without following is. So
a log that is followed is read again and again, each time from where the last reading ended.
"""

import struct
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from docker.errors import APIError
from urllib3.exceptions import HTTPError

from steroids.engines.container_errors import answers
from steroids.engines.container_wire import call
from steroids.engines.spec import Handle, State, Status

_POLL_S, _POLL_MAX_S = 0.1, 2.0
"""Long logs are read less often: following one never takes most of an engine's time."""

_REMOVAL_S = 5.0

Look = Callable[[Handle], State]


class _Broken(HTTPError):
    """The stream ended in an error message."""


def read(
    client: Any, handle: Handle, *, follow: bool, tail: int | None, look: Look
) -> Iterator[bytes]:
    """One empty chunk as soon as the log is known to be there, then the output's chunks."""
    with answers(handle.engine, f"read the logs of {handle.name}"):
        if follow:
            before = b"".join(_stream(client, handle, 0 if tail is None else None))
            yield b""
            position = 0 if tail is None else _tail_begins_at(before, tail)
            yield from _follow(client, handle, position, look)
        else:
            yield from _stream(client, handle, tail)


def _follow(client: Any, handle: Handle, position: int, look: Look) -> Iterator[bytes]:
    ended = False
    while not ended:
        began = time.monotonic()
        ended = look(handle).status is not Status.RUNNING
        if ended:
            # The state may change a moment before the last bytes are in the log.
            time.sleep(_POLL_S)
        try:
            position = yield from _read_on(client, handle, position)
        except (APIError, _Broken):
            # Both engines refuse, each in its own words, while a removal is under way.
            if _goes_away(handle, look):
                return
            raise
        if not ended:
            time.sleep(min(_POLL_MAX_S, max(_POLL_S, time.monotonic() - began)))


def _goes_away(handle: Handle, look: Look) -> bool:
    deadline = time.monotonic() + _REMOVAL_S
    while look(handle).status is not Status.GONE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _read_on(client: Any, handle: Handle, position: int) -> Generator[bytes, None, int]:
    """What the log has from `position` on; returns where it ends."""
    seen = 0
    for chunk in _stream(client, handle, None):
        yield chunk[max(0, position - seen) :]
        seen += len(chunk)
    # Shorter than before: the engine has rotated it, and what it has now is new.
    return seen if seen >= position else 0


def _tail_begins_at(output: bytes, lines: int) -> int:
    whole = output.splitlines(keepends=True)
    return sum(len(line) for line in whole[: max(0, len(whole) - lines)])


def _stream(client: Any, handle: Handle, tail: int | None) -> Iterator[bytes]:
    response = call(
        client,
        "GET",
        f"/containers/{handle.id}/logs",
        params={"stdout": 1, "stderr": 1, "tail": "all" if tail is None else str(tail)},
        stream=True,
    )
    try:
        yield b""
        # Frames: 8 bytes of header (stream, three zeros, length), then the data.
        while header := response.raw.read(8):
            if header[1:4] != b"\0\0\0":
                # Podman appends a failure to what it has sent already, as text.
                raise _Broken((header + response.raw.read()).decode(errors="replace"))
            (size_bytes,) = struct.unpack(">4xL", header)
            if size_bytes:
                yield response.raw.read(size_bytes)
    finally:
        response.close()
