"""Whether there was room lately for what the controller writes.

Where nothing can be written, nothing can be told by events either, and whoever follows them would
wait for ever.
"""

import shutil
import time
from pathlib import Path

from steroids.errors import DiskFull, out_of_space

LATELY_S = 60.0
ROOM_BYTES = 1 << 20
"""When so much more is free than it was, somebody has made room."""


class Disk:
    """The home's. May be used by any thread."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._full: tuple[float, int] | None = None

    def note(self, error: BaseException) -> bool:
        """Keep in mind that it was full, if that is what this comes from."""
        if not out_of_space(error):
            return False
        self._full = time.monotonic(), self._free()
        return True

    def was_full(self) -> bool:
        """Whether it was, lately, and nobody has made room since."""
        if self._full is None:
            return False
        at, free_bytes = self._full
        lately = time.monotonic() - at < LATELY_S
        return lately and self._free() < free_bytes + ROOM_BYTES

    def _free(self) -> int:
        return shutil.disk_usage(self._home).free

    def error(self) -> DiskFull:
        return DiskFull(
            f"No space is left on the disk of {self._home}: nothing can go on",
            hint=f"df -h {self._home}   (with room again all goes on by itself: steroids up)",
        )
