"""The relations between sections as text: a tree to look at, a flowchart for Mermaid, data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steroids.cli.section_show import state
from steroids.wire.section import Isolation, Section


def tree(sections: Sequence[Section]) -> list[str]:
    """Each section with those that it depends on below it; what comes after what, apart.

    A section that is met again is only referred to, so that it always ends, even with a circle.
    """
    lines = list(_tree(sections))
    order = [f"  {each.name} after {other}" for each in sections for other in each.after]
    return [*lines, *(["", "Order:", *order] if order else [])]


def _tree(sections: Sequence[Section]) -> Iterator[str]:
    known = {each.name: each for each in sections}
    used = {name for each in sections for name in each.dependencies}
    tops = [each.name for each in sections if each.name not in used]
    seen: set[str] = set()
    # The whole list follows the tops for those in circles, which no top leads to.
    for start in [*tops, *known]:
        if start in seen:
            continue
        todo = [(start, "", "")]
        while todo:
            name, branch, margin = todo.pop()
            again = name in seen
            seen.add(name)
            yield f"{branch}{_label(known, name)}{'  (above)' if again else ''}"
            below = [] if again or name not in known else known[name].dependencies
            for number, other in reversed(list(enumerate(below, 1))):
                last = number == len(below)
                corner, rest = ("`-- ", "    ") if last else ("|-- ", "|   ")
                todo.append((other, margin + corner, margin + rest))


def _label(known: Mapping[str, Section], name: str) -> str:
    return "  ".join([name, *marks(known[name])]) if name in known else name


def marks(section: Section) -> list[str]:
    """What there is to say of a section beside its name."""
    exclusive = ["EXCL"] if section.isolation is Isolation.EXCLUSIVE else []
    return [*exclusive, *([state(section)] if state(section) else [])]


def mermaid(sections: Sequence[Section]) -> list[str]:
    """A flowchart. An arrow leads to what is used, a dotted one to what has to be finished."""
    ids = {each.name: f"s{number}" for number, each in enumerate(sections, 1)}
    lines = ["flowchart TD"]
    for each in sections:
        label = _entities(each.name)
        if marks(each):
            label += f" ({_entities(', '.join(marks(each)))})"
        lines.append(f'  {ids[each.name]}["{label}"]')
    for each in sections:
        own = ids[each.name]
        lines += [f"  {own} --> {ids[other]}" for other in each.dependencies if other in ids]
        lines += [f"  {own} -. after .-> {ids[other]}" for other in each.after if other in ids]
    # Only strokes, so that the page's theme, light or dark, keeps its colours.
    for name, style, chosen in (
        ("exclusive", "stroke-width:3px", [e for e in sections if marks(e)[:1] == ["EXCL"]]),
        ("resting", "stroke-dasharray:4 4", [e for e in sections if state(e)]),
    ):
        if chosen:
            lines.append(f"  classDef {name} {style}")
            lines.append(f"  class {','.join(ids[each.name] for each in chosen)} {name}")
    return lines


def _entities(text: str) -> str:
    """Mermaid's own escapes, for all that it or its Markdown could take for something else."""
    return "".join(
        char if char.isalnum() or char in " -/_," else f"#{ord(char)};"
        for char in " ".join(text.split())
    )


def data(sections: Sequence[Section]) -> dict[str, Any]:
    """For `--json`. An edge leads from a section to what it depends on, or comes after."""
    nodes = [
        {
            "id": each.id,
            "name": each.name,
            "isolation": each.isolation,
            "skipped": each.skipped,
            "blockedBy": each.blocked_by,
        }
        for each in sections
    ]
    edges = [
        {"from": each.name, "to": other, "kind": kind}
        for each in sections
        for kind, names in (("dependency", each.dependencies), ("after", each.after))
        for other in names
    ]
    return {"nodes": nodes, "edges": edges}
