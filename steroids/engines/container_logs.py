"""A container's output, followed or not."""

import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from urllib3.exceptions import ReadTimeoutError

from steroids.engines.container_errors import answers, unavailable
from steroids.engines.container_wire import call
from steroids.engines.spec import Handle, State, Status

_OVERLAP_S = 1.0
_LAST_LOOK_S = 2.0


def read(
    client: Any,
    handle: Handle,
    *,
    follow: bool,
    tail: int | None,
    look: Callable[[Handle], State],
) -> Iterator[bytes]:
    """One empty chunk as soon as the stream is open, then the output's chunks.

    A quiet container is no reason to end, a quiet engine is: after a minute of silence the
    stream is opened anew, which fails when the engine hangs. Nothing was written in that time, so
    nothing comes twice unless the clocks are that far apart.
    """
    params = {
        "stdout": 1,
        "stderr": 1,
        "follow": int(follow),
        "tail": "all" if tail is None else str(tail),
    }
    doing = f"read the logs of {handle.name}"
    with answers(handle.engine, doing):
        opened = False
        while True:
            response = call(
                client, "GET", f"/containers/{handle.id}/logs", params=params, stream=True
            )
            try:
                if not opened:
                    opened = True
                    yield b""
                yield from _frames(response.raw)
                break
            except ReadTimeoutError:
                if not follow:
                    raise
                params |= {"tail": "all", "since": f"{time.time() - _OVERLAP_S:.3f}"}
            finally:
                response.close()
        if follow and _still_runs(handle, look):
            raise unavailable(handle.engine, doing, "the stream ended while the container runs")


def _frames(raw: Any) -> Iterator[bytes]:
    while header := raw.read(8):
        (size_bytes,) = struct.unpack(">4xL", header)
        if size_bytes:
            yield raw.read(size_bytes)


def _still_runs(handle: Handle, look: Callable[[Handle], State]) -> bool:
    """The end of the output comes a moment before the engine says that the container ended."""
    deadline = time.monotonic() + _LAST_LOOK_S
    while look(handle).status is Status.RUNNING:
        if time.monotonic() > deadline:
            return True
        time.sleep(0.02)
    return False
