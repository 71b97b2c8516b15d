"""Results on stdout, progress and errors on stderr; plain when nobody looks, JSON when asked."""

import json
import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from steroids.errors import SteroidsError

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile(
    r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def plain(text: str) -> str:
    """Without control characters: what an agent printed must not drive the user's terminal."""
    return _CONTROL.sub("", text)


class Output:
    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self.verbose = False
        self.color = not os.environ.get("NO_COLOR")

    def result(self, body: dict[str, Any]) -> None:
        """The one JSON object of a command; only with `--json`."""
        print(json.dumps({"success": True, **body}, default=str), flush=True)

    def line(self, text: str = "") -> None:
        """A line of the result; may have rich's markup, which is removed when not at a terminal."""
        if self.json:
            return
        if sys.stdout.isatty() and self.color:
            self._console().print(text, soft_wrap=True, highlight=False)
        else:
            print(_unmarked(text), flush=True)

    def note(self, text: str) -> None:
        """A line beside the result, on stderr."""
        if not self.quiet:
            print(plain(text), file=sys.stderr, flush=True)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns with two spaces between them, like `docker ps`."""
        cells = [[plain(str(cell)) for cell in row] for row in rows]
        widths = [
            max([len(head), *(_width(row[index]) for row in cells)])
            for index, head in enumerate(heads)
        ]
        bold = sys.stdout.isatty() and self.color
        for number, row in enumerate([list(heads), *cells]):
            padded = (
                cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
            )
            text = "  ".join(padded).rstrip()
            print(f"\x1b[1m{text}\x1b[0m" if bold and number == 0 else text)

    def error(self, error: SteroidsError) -> None:
        if self.json:
            body: dict[str, Any] = {"success": False, "error": error.message, "code": error.code}
            if error.hint:
                body["hint"] = error.hint
            print(json.dumps({**body, **error.details, **body}, default=str), flush=True)
            return
        red = sys.stderr.isatty() and self.color
        mark = "\x1b[31merror:\x1b[0m" if red else "error:"
        print(f"{mark} {plain(error.message)}", file=sys.stderr)
        for line in str(error.details.get("tail", "")).splitlines()[-10:]:
            print(f"  | {plain(line)}", file=sys.stderr)
        self._runners(error.details.get("existingRunners") or [])
        if error.hint:
            print(f"hint: {plain(error.hint)}", file=sys.stderr)

    def _runners(self, runners: list[dict[str, Any]]) -> None:
        """Those in the way of what was refused."""
        if not runners:
            return
        print("\nActive runners:", file=sys.stderr)
        for one in runners:
            started = datetime.fromisoformat(one["startedAt"]).astimezone()
            container = (one["containerId"] or "")[:12] or "not yet"
            name = plain(one["section"] or "all sections")
            print(
                f"  {one['id'][:8]}  {name}  container {container}  started {started:%H:%M:%S}",
                file=sys.stderr,
            )
        print(file=sys.stderr)

    def _console(self) -> "Console":
        from rich.console import Console

        return Console()


def _width(text: str) -> int:
    """Columns at a terminal: what is East Asian takes two, an accent of its own none."""
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


class Transient:
    """A line on stderr that says what goes on, and is gone when something lasting is shown.

    Not at a terminal it is shown once per text's first word, so that a log says what took long.
    """

    def __init__(self) -> None:
        self._at_terminal = sys.stderr.isatty()
        self._shown = False
        self._since = time.monotonic()
        self._said: set[str] = set()

    def show(self, text: str) -> None:
        if not self._at_terminal:
            word = text.split()[0]
            if word not in self._said:
                self._said.add(word)
                print(f"{word:<9} ... (-v shows more)", file=sys.stderr, flush=True)
            return
        if not self._shown:
            self._since = time.monotonic()
        elapsed = lasting(time.monotonic() - self._since)
        width = shutil.get_terminal_size().columns - len(elapsed) - 2
        print(f"\r\x1b[K{text[:width]}  {elapsed}", end="", file=sys.stderr, flush=True)
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False


def _unmarked(text: str) -> str:
    """As rich reads markup: of backslashes before a bracket, each two are one; an odd one makes
    the bracket text."""

    def read(found: re.Match[str]) -> str:
        backslashes, tag = found[1], found[2]
        kept = "\\" * (len(backslashes) // 2)
        return kept + (f"[{tag or ''}" if len(backslashes) % 2 or tag is None else "")

    return re.sub(r"(\\*)\[(/?[a-z ]*\])?", read, text)


def escape(text: str) -> str:
    """For use inside markup: control characters removed, brackets meant as such."""
    return re.sub(r"(\\*)\[", r"\1\1\\[", plain(text))


def ago(seconds: float) -> str:
    """`2 s ago`, `5 min ago`."""
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (129600, "h", 3600)):
        if seconds < limit:
            return f"{max(0, seconds) / size:.0f} {unit} ago"
    return f"{seconds / 86400:.0f} days ago"


def lasting(seconds: float) -> str:
    """`0.4 s`, `1 min 12 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(size_bytes: int | None) -> str:
    """`635 MB`, `1.4 GB`; `-` for one that nobody knows."""
    if size_bytes is None:
        return "-"
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.1f} GB"
    unit, name = (1e6, "MB") if size_bytes >= 1e6 else (1e3, "kB")
    return f"{size_bytes / unit:.0f} {name}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
