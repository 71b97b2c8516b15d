"""Tasks of a Markdown checklist: `- [ ] Title`, each below the heading of its section. Pure.

What is nested below an item is its spec, word for word; a checklist in there is part of it.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from steroids.services.task_draft import Draft, Drafts, bad, checked_number

EXAMPLE = "- [ ] Title   (below a heading that names its section)"
MAX_DEPTH = 100
"""Of lists and quotes within each other. The parser stops there, and so do we."""

_BOX = re.compile(r"\[([ xX])\](?:[ \t]+(.*))?")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|\Z)")


def read(name: str, text: str) -> Drafts:
    """Raises `BadSheet`, with the line, for a file without any item and for items that cannot be
    read. Items that are ticked off are counted."""
    # Paragraphs are not looked into: only where blocks begin and end is asked.
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_DEPTH}).disable("inline")
    lines = text.split("\n")
    drafts: list[Draft] = []
    done = 0
    for item, headings in _items(name, parser.parse(_without_front_matter(text))):
        draft, ticked = _draft(name, lines, item, headings)
        done += ticked
        drafts += [] if ticked else [draft]
    if not drafts and not done:
        raise bad(name, None, "there is no checklist item in it", EXAMPLE)
    return Drafts(checked_number(name, drafts), done)


def _without_front_matter(text: str) -> str:
    """With as many empty lines in its place, so that lines keep their numbers."""
    found = _FRONT_MATTER.match(text)
    return text if found is None else "\n" * found[0].count("\n") + text[found.end() :]


def _items(name: str, tokens: Sequence[Token]) -> Iterator[tuple[Token, tuple[str, ...]]]:
    """The first line of each outermost checklist item, and the headings above, innermost first."""
    headings: dict[int, str] = {}
    inside: int | None = None
    open_: Token | None = None
    for number, token in enumerate(tokens):
        if token.level >= MAX_DEPTH - 1:
            raise bad(name, _line(token), "lists are nested too deeply", EXAMPLE)
        if inside is not None:
            inside = None if _closes(token, inside) else inside
        elif token.type == "heading_open":
            level = int(token.tag[1:])
            headings = {at: each for at, each in headings.items() if at < level}
            headings[level] = _bare(tokens[number + 1].content)
        elif token.type == "list_item_open":
            open_ = token
        elif token.type == "inline" and open_ is not None:
            # Only the first paragraph of an item can make it one of a checklist.
            first = tokens[number - 1].type == "paragraph_open" and tokens[number - 2] is open_
            if first and _BOX.fullmatch(token.content.split("\n")[0]):
                yield open_, tuple(headings[at] for at in sorted(headings, reverse=True))
                inside = open_.level
            open_ = None


def _closes(token: Token, level: int) -> bool:
    return token.type == "list_item_close" and token.level == level


def _draft(
    name: str, lines: Sequence[str], item: Token, headings: tuple[str, ...]
) -> tuple[Draft, bool]:
    assert item.map is not None
    start, end = item.map
    line = lines[start].expandtabs(4)
    marker = _ITEM.match(line)
    box = _BOX.fullmatch(line[marker.end() :].rstrip()) if marker else None
    if marker is None or box is None:
        raise bad(name, start + 1, "an item of a checklist begins on a line of its own", EXAMPLE)
    title = (box[2] or "").strip()
    if not title:
        raise bad(name, start + 1, "this item has no title", EXAMPLE)
    spec = "\n".join(_dedented(each, marker.end()) for each in lines[start + 1 : end])
    spec = spec.strip("\n")
    draft = Draft(start + 1, title, f"{spec}\n" if spec.strip() else "", headings)
    return draft, box[1] != " "


def _dedented(line: str, width: int) -> str:
    """The line as it is within its item: so many columns less, of those that are blank."""
    text = line.lstrip(" \t")
    blank = line[: len(line) - len(text)].expandtabs(4)
    return blank[width:] + text if text else ""


def _bare(heading: str) -> str:
    """Without the marks that make it bold or code."""
    return heading.strip().strip("*_`").strip()


def _line(token: Token) -> int | None:
    return token.map[0] + 1 if token.map else None
