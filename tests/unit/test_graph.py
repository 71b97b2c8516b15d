"""The relations between sections: as a tree, for Mermaid, as a drawing."""

import itertools
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steroids.cli.graph import data, mermaid, tree
from steroids.cli.graph_svg import drawing
from steroids.wire.section import Isolation, Section

SVG = "{http://www.w3.org/2000/svg}"


def section(
    name: str,
    *dependencies: str,
    after: tuple[str, ...] = (),
    exclusive: bool = False,
    skipped: bool = False,
    blocked_by: tuple[str, ...] = (),
) -> Section:
    return Section(
        id=f"id of {name}",
        name=name,
        paths=["apps/**"],
        isolation=Isolation.EXCLUSIVE if exclusive else Isolation.PARALLEL,
        dependencies=list(dependencies),
        after=list(after),
        check=[],
        setup=None,
        image=None,
        resources=None,
        ports=[],
        priority=50,
        position=1,
        skipped=skipped,
        blocked_by=list(blocked_by),
    )


SHOP = [
    section("Web", "API", "UI"),
    section("API", "Types"),
    section("UI", "Types", "Icons"),
    section("Types", "Base", exclusive=True),
    section("Base"),
    section("Icons", skipped=True),
    section("Phase 2", after=("Web", "API"), exclusive=True, blocked_by=("Web",)),
    section("A & <b> #1", "API"),
]


def test_the_tree() -> None:
    assert tree(SHOP) == [
        "Web",
        "|-- API",
        "|   `-- Types  EXCL",
        "|       `-- Base",
        "`-- UI",
        "    |-- Types  EXCL  (above)",
        "    `-- Icons  skipped",
        "Phase 2  EXCL  BLOCKED by Web",
        "A & <b> #1",
        "`-- API  (above)",
        "",
        "Order:",
        "  Phase 2 after Web",
        "  Phase 2 after API",
    ]


def test_the_flowchart() -> None:
    assert mermaid(SHOP) == [
        "flowchart TD",
        '  s1["Web"]',
        '  s2["API"]',
        '  s3["UI"]',
        '  s4["Types (EXCL)"]',
        '  s5["Base"]',
        '  s6["Icons (skipped)"]',
        '  s7["Phase 2 (EXCL, BLOCKED by Web)"]',
        '  s8["A #38; #60;b#62; #35;1"]',
        "  s1 --> s2",
        "  s1 --> s3",
        "  s2 --> s4",
        "  s3 --> s4",
        "  s3 --> s6",
        "  s4 --> s5",
        "  s7 -. after .-> s1",
        "  s7 -. after .-> s2",
        "  s8 --> s2",
        "  classDef exclusive stroke-width:3px",
        "  class s4,s7 exclusive",
        "  classDef resting stroke-dasharray:4 4",
        "  class s6,s7 resting",
    ]


def test_nothing_is_drawn_of_nothing() -> None:
    assert tree([]) == []
    assert mermaid([]) == ["flowchart TD"]
    assert data([]) == {"nodes": [], "edges": []}
    ET.fromstring(drawing([]))


@pytest.mark.parametrize("name", ['"]; click s1 "x', "1. Phase", "`b`", "a\nb", "end", "*x*"])
def test_a_name_cannot_be_more_than_a_label_in_mermaid(name: str) -> None:
    label = mermaid([section(name)])[1]
    assert label.startswith('  s1["') and label.endswith('"]')
    inside = label[len('  s1["') : -len('"]')]
    assert not set(inside) & set("\"`*<>[]\n.'")


def test_the_drawing() -> None:
    text = drawing(SHOP)
    root = ET.fromstring(text)
    assert "prefers-color-scheme: dark" in text and "http://www.w3.org/2000/svg" in text
    assert not root.findall(f".//{SVG}script") and "href" not in text
    assert [each.text for each in root.findall(f".//{SVG}text[@class='name']")] == [
        each.name for each in SHOP
    ]
    said = [each.text for each in root.findall(f".//{SVG}g/{SVG}text[@class='mark']")]
    assert said == ["EXCL", "skipped", "EXCL, BLOCKED by Web"]
    assert [each.text for each in root.findall(f"{SVG}text[@class='mark']")] == ["after", "after"]
    assert len(root.findall(f"{SVG}path")) == len(data(SHOP)["edges"]) == 9
    tops = dict(zip([e.name for e in SHOP], boxes(root), strict=True))
    assert tops["Web"][1] < tops["API"][1] < tops["Types"][1] < tops["Base"][1]


def boxes(root: ET.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of each section's."""
    found = []
    for box in root.findall(f".//{SVG}g/{SVG}rect"):
        x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


NAMES = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=7, unique=True)


@given(NAMES, st.data())
def test_any_names_and_any_relations_end_and_are_all_there(
    names: list[str], draw: st.DataObject
) -> None:
    """Circles too, which the services refuse."""
    some = st.lists(st.sampled_from(names), max_size=3, unique=True)
    sections = [section(n, *draw.draw(some), after=tuple(draw.draw(some))) for n in names]
    lines = tree(sections)
    relations = sum(len(each.dependencies) for each in sections)
    order = sum(len(each.after) for each in sections)
    below = lines[: lines.index("Order:") - 1] if order else lines
    # Each relation once, and each section that no relation leads to.
    assert relations <= len(below) <= relations + len(names)
    assert sum("  (above)" not in line for line in below) == len(names)
    root = ET.fromstring(drawing(sections))
    assert len(root.findall(f"{SVG}path")) == relations + order
    for one, other in itertools.combinations(boxes(root), 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, "two boxes lie on each other"
    assert len(mermaid(sections)) == 1 + len(names) + relations + order
