"""Whether two globs can match one path, for file leases and zones. Pure.

Globs are those of .gitignore, as `pathspec.GitIgnoreSpec` reads them. One is taken apart into
segments, and a segment into characters; on both levels it is then a sequence of single things and
of "any number of anything" (`**`, `*`). Two such sequences have an instance in common when the
product of the two automata that they are reaches its end (Rabin and Scott, Finite Automata and
Their Decision Problems, 1959, theorem 8): at most length times length states, however many stars.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from steroids.scheduling.glob_segment import BadGlob, Ranges, Segment, Wild, segment

MAX_CHARS = 300
"""Of a glob that may be added: two of them are compared in about a tenth of a second at worst."""

T = TypeVar("T")


@lru_cache(maxsize=16_384)
def intersect(a: str, b: str) -> bool:
    """Whether there is a path that both match. What is no pattern matches none; never raises."""
    first, second = _terms(a), _terms(b)
    if first is None or second is None:
        return False
    return _meet(first, second, _segments_meet)


def any_intersect(a: Iterable[str], b: Iterable[str]) -> bool:
    """Whether there is a path that one of `a` and one of `b` match."""
    others = tuple(b)
    return any(intersect(one, other) for one in a for other in others)


def fixed(glob: str) -> tuple[bool, tuple[str, ...]]:
    """Whether it begins at the root of the repository, and its first segments, those that have no
    wildcard: what it matches is that path, is below it, or nothing is."""
    terms = _terms(glob) or ()
    anywhere = terms[:1] == (Wild.MANY,)
    literal = itertools.takewhile(bool, map(_literal, terms[1:] if anywhere else terms))
    return not anywhere, tuple(literal)


def _literal(term: Segment | Wild) -> str:
    """The only name that it matches; empty: there are others."""
    if isinstance(term, Wild):
        return ""
    sets = [chars for chars in term if not isinstance(chars, Wild)]
    single = [chr(chars[0][0]) for chars in sets if len(chars) == 1 and chars[0][0] == chars[0][1]]
    return "".join(single) if len(single) == len(term) else ""


def problem(glob: str) -> str | None:
    """Why it cannot be a path of a section or a task, to be read after "it"; none: it can be."""
    if not glob.strip():
        return "is empty"
    if len(glob) > MAX_CHARS:
        return f"has more than {MAX_CHARS} characters"
    if not glob.isprintable():
        return "has control characters"
    if glob[0] == "!":
        return "begins with '!'; paths can only be added"
    if glob[0] == "#":
        return "begins with '#'; write \\# for a file of that name"
    text = _stripped(glob)
    parts = text.removeprefix("/").removesuffix("/").split("/")
    if ".." in parts:
        return "leaves the repository"
    if "." in parts or "" in parts:
        return "has a part that names nothing"
    try:
        for part in text.split("/"):
            segment(part, strict=True)
    except BadGlob as error:
        return str(error)
    return None


@lru_cache(maxsize=4096)
def _terms(glob: str) -> tuple[Segment | Wild, ...] | None:
    """Its segments from the root of the repository on; None when it matches nothing.

    What matches a folder matches all that is below it, so it makes no difference here whether the
    folder itself is meant (`apps`) or not (`apps/`, `apps/**`).
    """
    text = _stripped(glob)
    if text in ("", "/") or text[0] in "#!":
        return None
    parts = text.split("/")
    if not parts[-1]:
        del parts[-1]
    if len(parts) == 1:
        # Without a slash, but for one at the end, it is at home at any depth.
        parts.insert(0, "**")
    elif not parts[0]:
        del parts[0]
    if "" in parts:
        return None
    try:
        terms = [Wild.MANY if part == "**" else segment(part) for part in parts]
    except BadGlob:
        return None
    return (*terms, Wild.MANY)


def _stripped(glob: str) -> str:
    return glob if glob.endswith("\\ ") else glob.rstrip()


@lru_cache(maxsize=4096)
def _segments_meet(a: Segment, b: Segment) -> bool:
    return _meet(a, b, _chars_meet)


def _chars_meet(a: Ranges, b: Ranges) -> bool:
    return any(low <= last and first <= high for low, high in a for first, last in b)


def _meet(a: Sequence[T | Wild], b: Sequence[T | Wild], together: Callable[[T, T], bool]) -> bool:
    """Whether the sequences have an instance in common; `together` is that for single things."""
    todo, seen = [(0, 0)], {(0, 0)}
    while todo:
        i, j = todo.pop()
        ours = a[i] if i < len(a) else None
        theirs = b[j] if j < len(b) else None
        if ours is None and theirs is None:
            return True
        follow = []
        if isinstance(ours, Wild) or isinstance(theirs, Wild):
            # The one that is wild takes in what the other has next, or is over.
            if ours is not None:
                follow.append((i + 1, j))
            if theirs is not None:
                follow.append((i, j + 1))
        elif ours is not None and theirs is not None and together(ours, theirs):
            follow.append((i + 1, j + 1))
        for state in follow:
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return False
