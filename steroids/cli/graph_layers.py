"""Where the boxes of a drawing go: from top to bottom, and from left to right. Pure.

As Sugiyama, Tagawa and Toda do it (Methods for Visual Understanding of Hierarchical System
Structures, 1981): a thing stands in a layer above all that it leads to, a line that passes a layer
has a place of its own there, and all stand near the middle of what leads to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layers:
    rows: list[list[str]]
    """From top to bottom; names, and those of places where lines pass."""
    ways: dict[tuple[str, str], list[str]]
    """For each line that passes layers, the places on its way."""


def layers(below: Mapping[str, Sequence[str]]) -> Layers:
    """`below` has each thing with what it leads to; in a circle one line leads upwards."""
    finished = _finished(below)
    turn = {name: number for number, name in enumerate(finished)}
    # What is finished later than what leads to it closes a circle.
    down = {
        name: [other for other in others if turn.get(other, len(turn)) < turn[name]]
        for name, others in below.items()
    }
    depth = dict.fromkeys(down, 0)
    for name in reversed(finished):
        for other in down[name]:
            depth[other] = max(depth[other], depth[name] + 1)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, number in depth.items():
        rows[number].append(name)
    ways = {}
    above: dict[str, list[str]] = {name: [] for name in down}
    for name, others in down.items():
        for other in dict.fromkeys(others):
            passed = range(depth[name] + 1, depth[other])
            way = ways[name, other] = [f"{name}\0{other}\0{number}" for number in passed]
            for number, place in zip(passed, way, strict=True):
                rows[number].append(place)
            for upper, lower in zip([name, *way], [*way, other], strict=True):
                above.setdefault(lower, []).append(upper)
    _order(rows, above)
    return Layers(rows, ways)


def _order(rows: Sequence[list[str]], above: Mapping[str, Sequence[str]]) -> None:
    """Sort each row by the middle of what is above; what has nothing there stays where it is."""
    place: dict[str, float] = {}
    for row in rows:
        usual = {name: (number + 0.5) / len(row) for number, name in enumerate(row)}
        wanted = {
            name: sum(place[each] for each in above[name]) / len(above[name])
            if above[name]
            else usual[name]
            for name in row
        }
        row.sort(key=lambda name: wanted[name])
        place |= {name: (number + 0.5) / len(row) for number, name in enumerate(row)}


def _finished(below: Mapping[str, Sequence[str]]) -> list[str]:
    """Names in the order in which a search in depth is done with them."""
    done: dict[str, None] = {}
    begun: set[str] = set()
    for start in below:
        todo = [start]
        while todo:
            name = todo[-1]
            more = [] if name in begun else [each for each in below[name] if each in below]
            begun.add(name)
            more = [each for each in more if each not in begun]
            todo += more
            if not more:
                done.setdefault(todo.pop())
    return list(done)
