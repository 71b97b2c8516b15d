"""The relations between sections as a drawing: SVG that is readable on light and dark pages."""

import html
import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from steroids.cli.graph import marks
from steroids.cli.graph_layers import layers
from steroids.cli.section_show import state
from steroids.wire.section import Section

CHAR, MARK_CHAR = 8.5, 7.0
HEIGHT, GAP, LAYER_GAP, MARGIN = 46, 28, 60, 16
STYLE = """\
svg { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --line: #57606a; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --paper: #0d1117; --line: #9198a1; }
}
.paper { fill: var(--paper); }
.box { fill: var(--paper); stroke: var(--line); stroke-width: 1.5; }
.exclusive { stroke-width: 4; }
.resting { stroke-dasharray: 5 4; }
text { fill: var(--ink); font-family: system-ui, sans-serif; text-anchor: middle; }
.name { font-size: 14px; font-weight: 600; }
.mark { font-size: 11px; }
.edge { fill: none; stroke: var(--line); stroke-width: 1.5; }
.after { stroke-dasharray: 2 4; }
.tip { fill: var(--line); }"""
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def drawing(sections: Sequence[Section]) -> str:
    """An SVG document, valid XML whatever the names are."""
    found = layers({each.name: [*each.dependencies, *each.after] for each in sections})
    boxes = _placed(sections, found.rows)
    width = max((box.x + box.width for box in boxes.values()), default=0) + MARGIN
    height = max((box.y + HEIGHT for box in boxes.values()), default=0) + MARGIN
    edges = [
        _edge([boxes[p] for p in (each.name, *found.ways.get((each.name, other), ()), other)], kind)
        for each in sections
        for kind, names in (("", each.dependencies), ("after", each.after))
        for other in names
        if other in boxes
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" role="img">',
        "<title>Sections and what they depend on</title>",
        f"<style>\n{STYLE}\n</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
        f'<rect class="paper" width="{width:g}" height="{height:g}"/>',
        *edges,
        *(_node(each, boxes[each.name]) for each in sections),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _placed(sections: Sequence[Section], rows: Sequence[Sequence[str]]) -> dict[str, _Box]:
    """A box for each section; for a place where a line passes, one as wide as the line."""
    widths = {each.name: _width(each) for each in sections}
    full = [sum(widths.get(name, 0) for name in row) + GAP * (len(row) - 1) for row in rows]
    boxes = {}
    for number, row in enumerate(rows):
        x = MARGIN + (max(full) - full[number]) / 2
        for name in row:
            boxes[name] = _Box(x, MARGIN + number * (HEIGHT + LAYER_GAP), widths.get(name, 0))
            x += boxes[name].width + GAP
    return boxes


def _width(section: Section) -> float:
    lines = ((section.name, CHAR), (", ".join(marks(section)), MARK_CHAR))
    return max(80, *(_columns(text) * char + 28 for text, char in lines))


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _node(section: Section, box: _Box) -> str:
    said = marks(section)
    kinds = " ".join(
        name
        for name, holds in (("exclusive", said[:1] == ["EXCL"]), ("resting", bool(state(section))))
        if holds
    )
    middle = f'x="{box.middle:g}"'
    name_y = box.y + HEIGHT / 2 + (-2 if said else 5)
    parts = [
        f'<rect class="box {kinds}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}"'
        f' height="{HEIGHT}" rx="6"/>',
        f'<text class="name" {middle} y="{name_y:g}">{_xml(section.name)}</text>',
    ]
    if said:
        text = _xml(", ".join(said))
        parts.append(f'<text class="mark" {middle} y="{box.y + HEIGHT - 8:g}">{text}</text>')
    return f"<g>{''.join(parts)}</g>"


def _edge(stops: Sequence[_Box], kind: str) -> str:
    """From the one that depends to the one that it needs. Beside each other when both kinds are."""
    aside = 12 if kind else 0
    line = ""
    for upper, lower in itertools.pairwise(stops):
        down = lower.y >= upper.y
        x1, y1 = upper.middle + aside, upper.y + (HEIGHT if down else 0)
        x2, y2 = lower.middle + aside, lower.y + (0 if down else HEIGHT)
        bend = (y2 - y1) / 2
        # Straight through the layers that it passes.
        line += f"{'L' if line else 'M'}{x1:g} {y1:g}"
        line += f"C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    path = f'<path class="edge {kind}" marker-end="url(#tip)" d="{line}"/>'
    if not kind:
        return path
    x, y = (x1 + x2) / 2 + 20, (y1 + y2) / 2 + 4
    return f'{path}<text class="mark" x="{x:g}" y="{y:g}">{kind}</text>'


def _xml(text: str) -> str:
    return html.escape(NO_XML.sub("", text))
