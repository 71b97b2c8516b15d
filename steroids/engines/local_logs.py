"""A local container's output: a file that grows."""

import time
from collections.abc import Iterator
from typing import IO

from steroids.engines.local_container import OUTPUT, Container
from steroids.engines.spec import Status

_POLL_S = 0.05
_CHUNK_BYTES = 65_536


def read(container: Container, *, follow: bool, tail: int | None) -> Iterator[bytes]:
    """The file stays readable to its end when the container is removed meanwhile."""
    try:
        file = (container.folder / OUTPUT).open("rb")
    except FileNotFoundError:
        return iter(())
    if tail is not None:
        lines = file.read().splitlines(keepends=True)
        file.seek(-sum(len(line) for line in lines[max(0, len(lines) - tail) :]), 1)
    return _chunks(file, container, follow=follow)


def _chunks(file: IO[bytes], container: Container, *, follow: bool) -> Iterator[bytes]:
    with file:
        ended = not follow
        while True:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
            if ended:
                return
            # Asked before the last reading, so that nothing of it is missed.
            ended = container.state().status is not Status.RUNNING
            if not ended:
                time.sleep(_POLL_S)
