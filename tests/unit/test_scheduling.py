from hypothesis import given
from hypothesis import strategies as st

from steroids.scheduling.locks import (
    PROJECT,
    Held,
    Lock,
    SectionView,
    blockers,
    needed,
    reads,
    section_resource,
)
from steroids.scheduling.pick import Grant, TaskView, Wait, pick

API = SectionView("api", "API", dependencies=frozenset({"types"}))
WEB = SectionView("web", "Web", dependencies=frozenset({"api"}))
TYPES = SectionView("types", "Types")
INFRA = SectionView("infra", "Infra", exclusive=True)
SECTIONS = {each.id: each for each in (API, WEB, TYPES, INFRA)}


def task(ident: str, section: str, priority: int = 50, position: int = 1) -> TaskView:
    return TaskView(ident, section, priority, position)


def held_by(ident: str, section: str) -> list[Held]:
    return [Held(lock, ident) for lock in needed(section, SECTIONS)]


def test_dependencies_are_read_transitively() -> None:
    assert reads("web", SECTIONS) == {"api", "types"}


def test_a_cycle_in_the_data_does_not_hang() -> None:
    a = SectionView("a", "A", dependencies=frozenset({"b"}))
    b = SectionView("b", "B", dependencies=frozenset({"a"}))
    assert reads("a", {"a": a, "b": b}) == {"b"}


def test_a_task_writes_its_section_and_reads_its_dependencies() -> None:
    assert needed("api", SECTIONS) == {
        Lock(section_resource("api"), True),
        Lock(section_resource("types"), False),
        Lock(PROJECT, False),
    }


def test_an_exclusive_sections_task_takes_the_project() -> None:
    assert Lock(PROJECT, True) in needed("infra", SECTIONS)


def test_the_first_task_is_the_one_with_priority_then_position() -> None:
    tasks = [task("late", "api", 50, 2), task("first", "api", 50, 1), task("low", "api", 90, 0)]
    decision = pick("api", tasks, SECTIONS, [])
    assert isinstance(decision, Grant) and decision.task.id == "first"


def test_nothing_pending_in_the_section_is_no_wait() -> None:
    assert pick("api", [task("t", "web")], SECTIONS, []) is None


def test_sections_without_a_relation_do_not_wait_for_each_other() -> None:
    assert isinstance(pick("types", [task("t", "types")], SECTIONS, []), Grant)
    alone = {**SECTIONS, "docs": SectionView("docs", "Docs")}
    assert isinstance(pick("docs", [task("d", "docs")], alone, held_by("t", "types")), Grant)


def test_readers_share_and_a_writer_waits_for_them() -> None:
    shared = {**SECTIONS, "app": SectionView("app", "App", dependencies=frozenset({"types"}))}
    reader = held_by("a", "api")
    assert isinstance(pick("app", [task("b", "app")], shared, reader), Grant)
    assert pick("types", [task("t", "types")], shared, reader) == Wait("a")


def test_nobody_works_beside_an_exclusive_task() -> None:
    assert pick("api", [task("t", "api")], SECTIONS, held_by("x", "infra")) == Wait("x")
    assert pick("infra", [task("x", "infra")], SECTIONS, held_by("t", "api")) == Wait("t")


def test_a_writer_is_not_starved_by_a_stream_of_readers() -> None:
    shared = {**SECTIONS, "app": SectionView("app", "App", dependencies=frozenset({"types"}))}
    tasks = [task("t", "types"), task("a", "api"), task("b", "app")]
    reading = held_by("a0", "api")
    assert pick("app", tasks, shared, reading, ["types"]) == Wait(None, "types")
    assert isinstance(pick("types", tasks, shared, [], ["types", "app"]), Grant)
    writing = [Held(lock, "t") for lock in needed("types", shared)]
    assert pick("app", tasks, shared, writing, ["app"]) == Wait("t")
    assert pick("types", tasks, shared, [], ["app"]) == Wait(None, "app"), "one turn each"


def test_waiting_for_something_else_holds_nobody_up() -> None:
    alone = {**SECTIONS, "docs": SectionView("docs", "Docs")}
    assert isinstance(pick("docs", [task("d", "docs")], alone, [], ["types"]), Grant)


def test_a_waiting_exclusive_section_has_its_turn_before_new_grants() -> None:
    tasks = [task("t", "types"), task("x", "infra")]
    assert pick("types", tasks, SECTIONS, [], ["infra"]) == Wait(None, "infra")
    assert isinstance(pick("infra", tasks, SECTIONS, [], ["infra"]), Grant)


@given(st.data())
def test_grants_one_after_the_other_never_conflict(data: st.DataObject) -> None:
    names = [f"s{number}" for number in range(data.draw(st.integers(1, 6)))]
    sections = {
        name: SectionView(
            name,
            name,
            exclusive=data.draw(st.booleans()),
            dependencies=frozenset(data.draw(st.sets(st.sampled_from(names)))) - {name},
        )
        for name in names
    }
    held: list[Held] = []
    for number in range(data.draw(st.integers(1, 12))):
        section = data.draw(st.sampled_from(names))
        decision = pick(section, [task(f"t{number}", section)], sections, held)
        if isinstance(decision, Grant):
            assert not blockers(decision.locks, held)
            held += [Held(lock, decision.task.id) for lock in decision.locks]
        else:
            assert blockers(needed(section, sections), held)
