"""What is between two slashes of a glob, taken apart into sets of characters. Pure."""

from collections.abc import Sequence
from enum import Enum

Ranges = tuple[tuple[int, int], ...]
"""A set of characters, as first and last code points."""


class Wild(Enum):
    MANY = "any number of anything"


Segment = tuple[Ranges | Wild, ...]

# A path's segment has no slash, whatever a bracket says. (So it is in git; pathspec lets `[!a]`
# match one.)
SLASH = ord("/")
ANY_CHAR: Ranges = ((0, SLASH - 1), (SLASH + 1, 0x10FFFF))
# Python's `re`, which pathspec uses, keeps them for sets of sets to come.
RESERVED = ("[", "--", "&&", "||", "~~")


class BadGlob(ValueError):
    """Why it is no pattern, to be read after "it"."""


def segment(text: str, *, strict: bool = False) -> Segment:
    """Raises `BadGlob`; when strict also for what is read otherwise elsewhere."""
    items: list[Ranges | Wild] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            if items[-1:] != [Wild.MANY]:
                items.append(Wild.MANY)
        elif char == "?":
            items.append(ANY_CHAR)
        elif char == "[":
            end = _closing(text, at)
            items.append(_bracket(text[at:end], strict=strict))
            at = end + 1
        else:
            if char == "\\":
                if at == len(text):
                    raise BadGlob("has a backslash with nothing behind it to escape")
                char = text[at]
                at += 1
            items.append(((ord(char), ord(char)),))
    return tuple(items)


def _closing(text: str, at: int) -> int:
    """Where the bracket ends whose inside begins at `at`; a `]` in first place is meant as such."""
    start = at + 1 if text[at : at + 1] in ("!", "^") else at
    end = text.find("]", start + 1)
    if end < 0:
        raise BadGlob("has a '[' without its ']'")
    return end


def _bracket(inside: str, *, strict: bool) -> Ranges:
    negated = inside[0] in "!^"
    inside = inside[1:] if negated else inside
    if strict and any(word in inside for word in RESERVED):
        raise BadGlob(f"has '[{inside}]', which is no simple set of characters")
    ranges = []
    at = 0
    while at < len(inside):
        step = 3 if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside) else 1
        low, high = ord(inside[at]), ord(inside[at + step - 1])
        if high < low:
            raise BadGlob(f"has the range '{inside[at : at + step]}', which is backwards")
        ranges.append((low, high))
        at += step
    return _without(ANY_CHAR, ranges) if negated else _without(ranges, [(SLASH, SLASH)])


def _without(ranges: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> Ranges:
    left = list(ranges)
    for low, high in others:
        left = [
            piece
            for first, last in left
            for piece in ((first, min(last, low - 1)), (max(first, high + 1), last))
            if piece[0] <= piece[1]
        ]
    return tuple(left)
