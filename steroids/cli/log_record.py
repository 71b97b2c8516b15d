"""A line of the controller's log, for people and for programs."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from steroids.cli.output import plain

LEVELS = ("debug", "info", "warning", "error", "critical")
MAX_SHOWN = 4000
"""Characters of a text: what is longer fills a screen and more."""
_FIRST = ("time", "level", "logger", "message", "trace")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What turns the direction of text at a terminal, or ends a line of it."""


def record_of(line: bytes) -> dict[str, Any] | None:
    """None for a line that is no record: of another program, or cut off by a crash."""
    try:
        tree = json.loads(line)
    except (ValueError, RecursionError):
        return None
    known = isinstance(tree, dict) and isinstance(tree.get("message"), str)
    return tree if known else None


def is_at_least(line: bytes, level: str) -> bool:
    """Whether it is a record of that level, or of a worse one."""
    record = record_of(line)
    word = record.get("level") if record else None
    return word in LEVELS and LEVELS.index(word) >= LEVELS.index(level)


def as_json(line: bytes) -> str:
    """One object on one line; of what is no record, the line as `raw`."""
    return json.dumps(record_of(line) or {"raw": line.decode("utf-8", "replace")})


def as_text(line: bytes) -> str:
    """Lines of which all but the first are indented, so that no text can look like a record."""
    record = record_of(line)
    if record is None:
        return f"? {_clean(line.decode('utf-8', 'replace'))}"
    head = f"{_time(record.get('time'))} {str(record.get('level')).upper():<7}"
    first, *more = _clean(record["message"]).split("\n")
    lines = [f"{_line(head)} {_line(record.get('logger'))}  {first}{_fields(record)}", *more]
    if record.get("trace"):
        lines += _clean(str(record["trace"])).rstrip("\n").split("\n")
    return "\n    | ".join(lines)


def _fields(record: Mapping[str, Any]) -> str:
    return "".join(
        f"  {_line(name)}={_line(json.dumps(value, ensure_ascii=False))}"
        for name, value in record.items()
        if name not in _FIRST
    )


def _time(text: object) -> str:
    try:
        return f"{datetime.fromisoformat(str(text)).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return "-"


def _line(value: object) -> str:
    return _clean(str(value)).replace("\n", " ")


def _clean(text: str) -> str:
    """Nothing in it drives a terminal, and all of it can be printed."""
    if len(text) > MAX_SHOWN:
        half = MAX_SHOWN // 2
        text = f"{text[:half]} [... {len(text) - 2 * half} characters ...] {text[-half:]}"
    text = _DIRECTION.sub("", plain(text.replace("\r\n", "\n")))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
