"""Finding what a person named: by id, by a unique prefix of it, or by name or title."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from steroids.errors import Ambiguous, NotFound

T = TypeVar("T")
SHORT = 8


def find(
    noun: str, word: str, things: Sequence[T], ident: Callable[[T], str], name: Callable[[T], str]
) -> T:
    """The one thing that `word` names; an exact id or name wins over a prefix or other case.

    Raises `NotFound`, or `Ambiguous` with the candidates.
    """
    ways: list[Callable[[T], bool]] = [
        lambda thing: ident(thing) == word,
        lambda thing: name(thing) == word,
        lambda thing: name(thing).casefold() == word.casefold(),
        lambda thing: bool(word) and ident(thing).startswith(word.lower()),
    ]
    for way in ways:
        found = [thing for thing in things if way(thing)]
        if len(found) == 1:
            return found[0]
        if found:
            lines = [_shown(ident(thing), name(thing)) for thing in found]
            raise Ambiguous(
                f"'{word}' fits {len(found)} {noun}s: {'; '.join(lines)}",
                hint=f"steroids {noun}s list",
                details={"candidates": [ident(thing) for thing in found]},
            )
    raise NotFound(f"No {noun} '{word}'", hint=f"steroids {noun}s list")


def _shown(ident: str, name: str) -> str:
    return ident[:SHORT] if name == ident else f"{ident[:SHORT]}  {name}"
