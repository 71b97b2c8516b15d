"""The end of a log whose files take turns (`x.log`, before it `x.log.1`, ...), and what comes."""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

POLL_S = 0.2
KEPT = 9
"""More files than are ever kept."""


class LogTail:
    """Lines without their ends. Half a line, of one who is still writing, is none yet.

    Holds a file open within its `with`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._half = b""

    def __enter__(self) -> "LogTail":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def last(self, number: int, wanted: Callable[[bytes], bool]) -> list[bytes]:
        """The last lines of those that are wanted, the oldest first. To be called once, before
        `follow`. Raises `OSError` for what cannot be read."""
        self._file = _opened(self._path)
        found = [line for line in self._fresh() if wanted(line)]
        for older in self._older():
            if len(found) >= number:
                break
            with older.open("rb") as file:
                # Else it is the same file, which has got its new name just now.
                if self._file is None or not _same(file, self._file):
                    found = [line for line in _lines(file.read()) if wanted(line)] + found
        return found[-number:] if number > 0 else []

    def follow(self) -> Iterator[bytes]:
        """What is written from then on, for ever; also into files that are yet to come."""
        while True:
            lines = self._fresh()
            yield from lines
            if not lines and not self._turned():
                time.sleep(POLL_S)

    def _fresh(self) -> list[bytes]:
        if self._file is None:
            return []
        *lines, self._half = (self._half + self._file.read()).split(b"\n")
        return lines

    def _turned(self) -> bool:
        """Go to the next file, if there is one now that this one is at its end."""
        if self._file is None:
            self._file = _opened(self._path)
            return self._file is not None
        mine = os.fstat(self._file.fileno())
        if mine.st_size < self._file.tell():
            # Emptied by somebody.
            self._file.seek(0)
            return True
        if mine.st_size > self._file.tell():
            return True
        following = self._after(mine)
        if following is None:
            return False
        self._file.close()
        self._file, self._half = following, b""
        return True

    def _after(self, mine: os.stat_result) -> IO[bytes] | None:
        """The file that was begun after this one, from its beginning."""
        younger = None
        for path in (self._path, *self._older()):
            file = _opened(path)
            if file is None:
                break
            status = os.fstat(file.fileno())
            if os.path.samestat(status, mine) or status.st_mtime_ns < mine.st_mtime_ns:
                file.close()
                break
            if younger is not None:
                younger.close()
            younger = file
        return younger

    def _older(self) -> Iterator[Path]:
        numbered = (self._path.with_name(f"{self._path.name}.{n}") for n in range(1, KEPT + 1))
        return itertools.takewhile(Path.exists, numbered)


def _opened(path: Path) -> IO[bytes] | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _same(one: IO[bytes], other: IO[bytes]) -> bool:
    return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))


def _lines(content: bytes) -> list[bytes]:
    return content.removesuffix(b"\n").split(b"\n") if content else []
