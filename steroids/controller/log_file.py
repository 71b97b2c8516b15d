"""The controller's log: one JSON object per line, in files that take turns.

What agents, engines and remotes say gets into messages. JSON writes line ends and control
characters as escapes, so none of it can look like a record of its own.
"""

import json
import logging
import logging.handlers
import os
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MAX_BYTES = 5_000_000
KEPT = 3
MAX_TEXT = 20_000
"""Characters of a message, or of a trace: of a longer one the beginning and the end say most."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """`time` (UTC), `level`, `logger`, `message`, what was given with `extra`, and `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        tree: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": shortened(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in tree:
                tree[name] = value if isinstance(value, int | float | None) else _text(value)
        if record.exc_info:
            tree["trace"] = shortened("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(tree)


class _File(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk, mostly. What logs goes on; what prints would fill `controller.out`."""


def log_to(path: Path) -> None:
    """Send the records of this process there. Raises `OSError` when the file cannot be opened."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _end_half_line(path)
    handler = _File(path, maxBytes=MAX_BYTES, backupCount=KEPT)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "urllib3", "docker", "alembic", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _end_half_line(path: Path) -> None:
    """A controller that was killed may have left one, and the next record is not to be part of
    it."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")


def shortened(text: str) -> str:
    """At most some `MAX_TEXT` characters of it."""
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]} [... {len(text) - 2 * half} characters ...] {text[-half:]}"


def _text(value: object) -> str:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return shortened(str(value))
