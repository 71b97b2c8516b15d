"""What a build of an image is at, in words."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from steroids.errors import EngineError

_STEP = re.compile(r"(?:\[\d+/\d+\] )?step (\d+)/(\d+) ?: (\S+) ?(.*)", re.IGNORECASE)
_OURS: Mapping[str, str] = {
    "setup/packages.sh": "Debian packages, npm, the user agent",
    "setup/more.sh": "further packages",
    "setup/compile.sh": "Steroids itself",
    "features/": "a feature of the devcontainer",
}
"""By a part of the instruction, for those of our own recipes that take long."""
_NOISE = re.compile(r"--->|Removing intermediate container|\(Reading database")
_TRIGGER = re.compile(r"# Executing \d+ build trigger")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_SAYS = "steroids: "
"""How our scripts begin the line that says what is wrong."""
_SHOWN = 60
_TAIL_LINES = 30
_EXIT = re.compile(r"(?:non-zero code|exit status):? (\d+)")


class BuildSteps:
    """Passes a build's output on with the step that it belongs to, and keeps it in a log.

    As a context manager it closes the log, and tells an `EngineError` what our own scripts said
    and where the log is.
    """

    def __init__(self, log: Path, progress: Callable[[str], None]) -> None:
        self._path = log
        self._progress = progress
        self._step = ""
        self._said: str | None = None
        self._triggers = False
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        """Of what the step has printed."""
        log.parent.mkdir(mode=0o700, exist_ok=True)
        self._log: IO[str] = log.open("w", encoding="utf-8", errors="replace")

    def __enter__(self) -> "BuildSteps":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._log.close()
        if isinstance(error, EngineError) and "tail" in error.details:
            message = self._said or self._message(error)
            if self._triggers:
                message += "; the base image has ONBUILD instructions, which want files of theirs"
            tail = "\n".join(self._tail) or error.details["tail"]
            details = {**error.details, "tail": tail, "log": str(self._path)}
            raise type(error)(message, hint=f"less {self._path}", details=details) from error

    def _message(self, error: EngineError) -> str:
        """Without the command, which may be a page long: the log has it."""
        code = _EXIT.search(error.message)
        if code is None or not self._step:
            return error.message
        return f"The image could not be built: step {self._step} exited {code[1]}"

    def line(self, text: str) -> None:
        """The next line of the builder's output."""
        text = _COLOR.sub("", text).strip()
        self._log.write(f"{text}\n")
        step = _STEP.fullmatch(text)
        if step is not None:
            self._step = f"{step[1]}/{step[2]} {in_words(step[3], step[4])}"
            self._tail.clear()
            self._progress(self._step)
            return
        at = text.find(_SAYS)
        if at >= 0:
            said = text[at + len(_SAYS) :].strip()
            self._said = said[:1].upper() + said[1:]
        self._triggers = self._triggers or _TRIGGER.match(text) is not None
        if text and not _NOISE.match(text):
            self._tail.append(text)
            self._progress(f"{self._step}: {text}" if self._step else text)


def in_words(instruction: str, rest: str) -> str:
    """`RUN` and what it runs, as people would say it."""
    for part, words in _OURS.items():
        if part in rest:
            return words
    match instruction.upper():
        case "FROM":
            return f"base {rest}"
        case "RUN":
            shown = " ".join(rest.split())
        case "COPY" | "ADD":
            shown = f"files for {rest.split()[-1]}" if rest.split() else "files"
        case other:
            shown = other.lower()
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
