"""The files of a commit, as finding a set-up looks at them."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

ELSEWHERE = frozenset(
    {
        *("node_modules", "vendor", "third_party", "site-packages", ".venv", ".yarn"),
        *("fixtures", "__fixtures__", "testdata", "test-data", "test_data"),
        *("example", "examples", "template", "templates"),
    }
)
"""Folders below which manifests are no part of what is worked on. Who works there says `setup:`."""


class Files:
    """Paths and the hashes of their content; `read` gives a path's text, None if there is none."""

    def __init__(self, blobs: Mapping[str, str], read: Callable[[str], str | None]) -> None:
        self.blobs = blobs
        self._read = read
        self._folders: dict[str, list[str]] = {}
        for path in blobs:
            folder, _, name = path.rpartition("/")
            if ELSEWHERE.isdisjoint(folder.split("/")):
                self._folders.setdefault(name, []).append(folder)

    def folders_with(self, *names: str) -> list[str]:
        """Folders that have a file of one of these names, parents before what is in them."""
        found = {folder for name in names for folder in self._folders.get(name, ())}
        return sorted(found, key=lambda folder: (depth(folder), folder))

    def has(self, folder: str, name: str) -> bool:
        return join(folder, name) in self.blobs

    def text(self, folder: str, name: str) -> str:
        """Empty when there is none."""
        path = join(folder, name)
        return (self._read(path) or "") if path in self.blobs else ""

    def json(self, folder: str, name: str) -> dict[str, Any]:
        """Empty when it is none."""
        try:
            found = json.loads(self.text(folder, name) or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def toml(self, folder: str, name: str) -> dict[str, Any]:
        """Empty when it is none."""
        try:
            return tomllib.loads(self.text(folder, name))
        except tomllib.TOMLDecodeError:
            return {}


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def depth(folder: str) -> int:
    """0 for the root."""
    return folder.count("/") + bool(folder)


def above(folder: str) -> list[str]:
    """The folders that it lies in, the nearest first, the root (an empty text) last."""
    return [str(each) if each.name else "" for each in PurePosixPath(folder).parents]


def at(tree: Mapping[str, Any], *keys: str) -> Any:
    """What is below these keys; None if there is nothing."""
    found: Any = tree
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def texts(found: Any) -> list[str]:
    """Those of a list's entries that are texts; none if it is no list."""
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def matches(globs: Iterable[str], root: str, folder: str) -> bool:
    """Whether one of the globs of a workspace at `root` is for `folder`; the last one that
    matches decides, and one that begins with `!` takes out."""
    below = folder[len(root) :].lstrip("/")
    chosen = False
    for glob in globs:
        if glob_pattern(glob.lstrip("!").removeprefix("./").rstrip("/")).fullmatch(below):
            chosen = not glob.startswith("!")
    return chosen


def glob_pattern(glob: str) -> re.Pattern[str]:
    """`*` is anything within a folder's name, `**` any folders."""
    parts = re.split(r"(\*\*/?|\*)", glob)
    meant = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*"}
    return re.compile("".join(meant.get(part, re.escape(part)) for part in parts))
