"""Want of memory: seeing that it ended something, and seeing to it that it ends the right one."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from steroids.agents.cgroups import Cgroups
from steroids.wire.size import shown

_ADJUSTMENT = Path("/proc/self/oom_score_adj")
_EXPENDABLE = 500
"""As if it used half of what there is, on top of what it uses (proc(5))."""
_adjusting = threading.Lock()
"""Guards this process's own value, which is another one only while something is started."""


class Watch:
    """From its making on."""

    def __init__(self, groups: Cgroups | None = None) -> None:
        self._groups = groups or Cgroups()
        self._before = self._groups.oom_kills()

    def ran_out(self) -> str | None:
        """In words, when the kernel has killed something here for want of memory."""
        if self._groups.oom_kills() <= self._before:
            return None
        limit = self._groups.memory_bytes()
        return f"ran out of memory ({f'limit {shown(limit)}' if limit else 'all of the machine'})"


@contextlib.contextmanager
def expendable() -> Iterator[None]:
    """What is started in here, and all that it starts, goes before this process does when memory
    ends: a runner that is killed cannot say what happened."""
    with _adjusting:
        before = _adjustment()
        raised = before is not None and before < _EXPENDABLE and _adjust(_EXPENDABLE)
        try:
            yield
        finally:
            if raised and before is not None:
                _adjust(before)


def _adjustment() -> int | None:
    """None: there is no such thing here."""
    try:
        return int(_ADJUSTMENT.read_text())
    except OSError:
        return None


def _adjust(value: int) -> bool:
    try:
        _ADJUSTMENT.write_text(str(value))
    except OSError:
        return False
    return True
