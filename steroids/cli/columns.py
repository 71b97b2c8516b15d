"""Tables that fit into the terminal."""

import shutil
import sys
from collections.abc import Sequence

from steroids.cli.output import plain

LEAST_CHARS = 20
BETWEEN = 2
"""Spaces, as `Output.table` puts them."""


def fit(heads: Sequence[str], rows: Sequence[list[str]], *names: str) -> None:
    """Cut what is in the columns of these names, the widest first, so that a row of the table is a
    line of the terminal. Not at a terminal all is left as it is: a program reads it."""
    if not sys.stdout.isatty():
        return
    flexible = [heads.index(name) for name in names if name in heads]
    for row in rows:
        row[:] = map(plain, row)
    widths = [max(len(head), *(len(row[at]) for row in rows)) for at, head in enumerate(heads)]
    excess = sum(widths) + BETWEEN * (len(heads) - 1) - shutil.get_terminal_size().columns
    for _ in range(excess):
        widest = max(flexible, key=lambda at: widths[at])
        widths[widest] = max(LEAST_CHARS, widths[widest] - 1)
    for row in rows:
        for at in flexible:
            row[at] = cut(row[at], widths[at])


def cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 3].rstrip()}..."
