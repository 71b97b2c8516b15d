"""Is a command line one of ours? Pure over the words, as the kernel has them."""

import enum
import re
from collections.abc import Sequence
from pathlib import PurePath


class Kind(enum.Enum):
    """What a daemon of ours is."""

    CONTROLLER = ("daemon", "run")
    """Serves one home."""
    LOOP = ("loop",)
    """Works on one project, in the foreground."""


PYTHON = re.compile(r"(?:python|pypy)[0-9.]*t?", re.IGNORECASE)
PROGRAM = "steroids"
WITH_VALUE = ("--project",)
"""Global options of ours that take a value and may stand before the command."""


def kind(argv: Sequence[str]) -> Kind | None:
    """What that command line runs; None for all that is not a daemon of ours.

    Only what Python is told to run counts, never words further on: `less steroids daemon run`,
    `python other.py -m steroids daemon run` and `sh -c "steroids daemon run"` are not ours.
    """
    words = arguments(argv)
    if words is None:
        return None
    verbs = []
    rest = iter(words)
    for word in rest:
        if word in WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            verbs.append(word)
            if len(verbs) == 2:
                break
    return next((each for each in Kind if tuple(verbs[: len(each.value)]) == each.value), None)


def project(argv: Sequence[str]) -> str | None:
    """What `--project` says, the last one; None when it is not there."""
    words = list(arguments(argv) or ())
    found = None
    for at, word in enumerate(words):
        if word == "--project" and at + 1 < len(words):
            found = words[at + 1]
        elif word.startswith("--project="):
            found = word.removeprefix("--project=")
    return found


def arguments(argv: Sequence[str]) -> Sequence[str] | None:
    """What follows `python -m steroids`, `python .../steroids` or `steroids`; None for others."""
    if not argv:
        return None
    program = PurePath(argv[0]).name
    if program == PROGRAM:
        return argv[1:]
    return _of_python(argv) if PYTHON.fullmatch(program) else None


def _of_python(argv: Sequence[str]) -> Sequence[str] | None:
    """As Python reads its own options (https://docs.python.org/3/using/cmdline.html)."""
    at = 1
    while at < len(argv):
        word = argv[at]
        if not word.startswith("-") or word == "-":
            # A script: pip and uv write one of this name.
            return argv[at + 1 :] if PurePath(word).name == PROGRAM else None
        if word.startswith("--"):
            at += 2 if word == "--check-hash-based-pycs" else 1
            continue
        taker = re.search(r"[cmWX]", word[1:])
        at += 1
        if taker is None:
            continue
        value = word[1 + taker.end() :]
        if not value:
            value = argv[at] if at < len(argv) else ""
            at += 1
        if taker.group() == "m":
            return argv[at:] if value == PROGRAM else None
        if taker.group() == "c":
            return None
    return None
