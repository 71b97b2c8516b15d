"""A patch for somebody to read: of any size, held in memory only up to a bound."""

import tempfile
from dataclasses import dataclass

from steroids.git.mirror import Mirror
from steroids.git.refs import checked_rev

MAX_STAT_FILES = 500


@dataclass(frozen=True)
class Patch:
    """The difference of two commits' trees. Bytes that are no UTF-8 show as U+FFFD."""

    stat: str
    """How much of which files; of the first 500, and a line on all of them."""
    text: str
    """Its beginning, whole lines."""
    size_bytes: int
    """Of all of it."""
    shown_bytes: int

    @property
    def cut(self) -> bool:
        return self.shown_bytes < self.size_bytes


def read_patch(mirror: Mirror, base: str, tip: str, max_bytes: int) -> Patch:
    """Two git processes. Raises `GitError`."""
    stat = _diff(mirror, base, tip, "--stat=160", f"--stat-count={MAX_STAT_FILES}")[0]
    raw, size = _diff(mirror, base, tip, "--patch", max_bytes=max_bytes)
    if len(raw) < size:
        raw = raw[: raw.rfind(b"\n") + 1]
    return Patch(_text(stat), _text(raw), size, len(raw))


def _diff(
    mirror: Mirror, base: str, tip: str, *options: str, max_bytes: int = 1 << 20
) -> tuple[bytes, int]:
    """The first of it, and its size. Git writes to a file: a patch may be larger than memory."""
    safe = ("--no-ext-diff", "--no-textconv", "--no-color", "--find-renames")
    ends = (checked_rev(base), checked_rev(tip))
    with tempfile.TemporaryFile() as file:
        mirror.git("diff", *safe, *options, *ends, "--", stdout=file)
        size = file.seek(0, 2)
        file.seek(0)
        return file.read(max_bytes), size


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
