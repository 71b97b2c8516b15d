"""What a set-up prints, in a file of the home, as it comes: for `less` while it runs."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

MAX_BYTES = 32 << 20
KEPT = 20
"""Of a project."""
_TOO_MUCH = b"\n(the rest is left out: more than 32 MB)\n"


def log_path(home: Path, project_id: str, setup_key: str) -> Path:
    return home / "logs" / f"setup-{project_id[:8]}-{setup_key}.log"


def begin(log: Path, title: str) -> None:
    """Make it anew, with this first line, and remove the project's oldest ones.

    Nothing raises: a full disk is to fail what matters, and to be told there.
    """
    with contextlib.suppress(OSError):
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"{title}\n")
        others = log.parent.glob("-".join(log.name.split("-")[:2]) + "-*.log")
        for old in sorted(others, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)


def append(log: Path, lines: Sequence[str]) -> None:
    """Add lines, up to a size. Nothing raises."""
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    with contextlib.suppress(OSError), log.open("ab") as file:
        room = MAX_BYTES - file.tell()
        if room > 0:
            file.write(text if len(text) <= room else text[:room] + _TOO_MUCH)
