import itertools
from collections.abc import Iterable, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from steroids.scheduling import pick as picking
from steroids.scheduling.locks import PROJECT, Board, Held, Lock, section_resource
from steroids.scheduling.pick import Grant, Turn, Wait
from steroids.scheduling.rules import Rules, TaskView, ZoneView
from steroids.scheduling.sections import SectionView, blocked_by, cycle, reachable

API = SectionView("api", "API", dependencies=frozenset({"types"}))
WEB = SectionView("web", "Web", dependencies=frozenset({"api"}))
TYPES = SectionView("types", "Types")
INFRA = SectionView("infra", "Infra", exclusive=True)
SECTIONS = {each.id: each for each in (API, WEB, TYPES, INFRA)}


def task(ident: str, section: str, priority: int = 50, position: int = 1) -> TaskView:
    return TaskView(ident, section, priority, position)


def held_by(ident: str, section: str, sections: Mapping[str, SectionView] = SECTIONS) -> list[Held]:
    return [Held(lock, ident) for lock in Rules(sections).locks_of_section(section)]


def waiting(sections: Mapping[str, SectionView], ids: Sequence[str]) -> list[Turn]:
    return [Turn(each, Rules(sections).locks_of_section(each)) for each in ids]


def pick(
    section: str | Sequence[str],
    tasks: Sequence[TaskView],
    rules: Rules | Mapping[str, SectionView],
    held: Iterable[Held] = (),
    turns: Sequence[str] = (),
) -> Grant | Wait | None:
    rules = rules if isinstance(rules, Rules) else Rules(rules)

    def tasks_of(section_id: str) -> list[TaskView]:
        own = [each for each in tasks if each.section_id == section_id]
        return sorted(own, key=lambda each: (each.priority, each.position))

    ids = [section] if isinstance(section, str) else section
    return picking.pick(ids, tasks_of, rules, Board(held), waiting(rules.sections, turns))


def waits_for(ident: str, decision: Grant | Wait | None) -> bool:
    return (
        isinstance(decision, Wait)
        and decision.held is not None
        and (decision.held.task_id == ident)
    )


def test_relations_are_followed_through_others() -> None:
    related = {"web": ["api"], "api": ["types"], "types": []}
    assert reachable("web", related) == {"api", "types"}


def test_a_cycle_in_the_data_does_not_hang() -> None:
    assert reachable("a", {"a": ["b"], "b": ["a"]}) == {"b"}


def test_a_cycle_is_named_by_the_way_that_leads_back() -> None:
    found = cycle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})
    assert found is not None and found[0] == found[-1] and len(found) == 4
    named = {"a": "b", "b": "c", "c": "a"}
    assert all(named[here] == there for here, there in itertools.pairwise(found))
    assert cycle({"a": ["b"], "b": ["c"]}) is None


def test_a_task_writes_its_section_and_reads_its_dependencies() -> None:
    assert Rules(SECTIONS).locks_of_section("api") == {
        Lock(section_resource("api"), True),
        Lock(section_resource("types"), False),
        Lock(PROJECT, False),
    }


def test_an_exclusive_sections_task_takes_the_project() -> None:
    assert Lock(PROJECT, True) in Rules(SECTIONS).locks_of_section("infra")


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
    assert waits_for("a", pick("types", [task("t", "types")], shared, reader))


def test_nobody_works_beside_an_exclusive_task() -> None:
    assert waits_for("x", pick("api", [task("t", "api")], SECTIONS, held_by("x", "infra")))
    assert waits_for("t", pick("infra", [task("x", "infra")], SECTIONS, held_by("t", "api")))


def test_a_writer_is_not_starved_by_a_stream_of_readers() -> None:
    shared = {**SECTIONS, "app": SectionView("app", "App", dependencies=frozenset({"types"}))}
    tasks = [task("t", "types"), task("a", "api"), task("b", "app")]
    reading = held_by("a0", "api")
    assert pick("app", tasks, shared, reading, ["types"]) == Wait(turn="types")
    assert isinstance(pick("types", tasks, shared, [], ["types", "app"]), Grant)
    writing = held_by("t", "types", shared)
    assert waits_for("t", pick("app", tasks, shared, writing, ["app"]))
    assert pick("types", tasks, shared, [], ["app"]) == Wait(turn="app"), "one turn each"


def test_waiting_for_something_else_holds_nobody_up() -> None:
    alone = {**SECTIONS, "docs": SectionView("docs", "Docs")}
    assert isinstance(pick("docs", [task("d", "docs")], alone, [], ["types"]), Grant)


def test_a_waiting_exclusive_section_has_its_turn_before_new_grants() -> None:
    tasks = [task("t", "types"), task("x", "infra")]
    assert pick("types", tasks, SECTIONS, [], ["infra"]) == Wait(turn="infra")
    assert isinstance(pick("infra", tasks, SECTIONS, [], ["infra"]), Grant)


def test_a_dependents_only_exclusive_task_leaves_the_others_alone() -> None:
    sections = {
        **SECTIONS,
        "infra": SectionView("infra", "Infra", exclusive=True),
        "app": SectionView("app", "App", dependencies=frozenset({"infra"})),
        "docs": SectionView("docs", "Docs"),
    }
    rules = Rules(sections, dependents_only=True)
    held = [Held(lock, "x") for lock in rules.locks_of_section("infra")]
    assert isinstance(pick("docs", [task("d", "docs")], rules, held), Grant)
    assert waits_for("x", pick("app", [task("a", "app")], rules, held))


def test_what_comes_after_waits_until_all_before_it_is_finished() -> None:
    two = SectionView("two", "Two", after=frozenset({"one"}))
    three = SectionView("three", "Three", after=frozenset({"two"}))
    sections = {"one": SectionView("one", "One"), "two": two, "three": three}
    tasks = [task("t", "three")]
    assert pick("three", tasks, Rules(sections, unfinished={"one"})) == Wait(after=("one",))
    assert isinstance(pick("three", tasks, Rules(sections)), Grant)
    assert [each.id for each in blocked_by(three, sections, {"one", "two"})] == ["one", "two"]


def test_a_skipped_section_has_nothing_to_do() -> None:
    sections = {"api": SectionView("api", "API", skipped=True)}
    assert pick("api", [task("t", "api")], sections) is None


def test_files_that_two_tasks_change_are_changed_by_one_after_the_other() -> None:
    sections = {"api": SectionView("api", "API"), "web": SectionView("web", "Web")}
    rules = Rules(sections)
    mine = TaskView("a", "api", paths=("apps/*/package.json",))
    held = [Held(lock, "a") for lock in rules.locks_of(mine)]
    theirs = TaskView("w", "web", paths=("apps/web/**",))
    assert waits_for("a", pick("web", [theirs], rules, held))
    other = TaskView("w2", "web", position=9, paths=("apps/web/src/**",))
    decision = pick("web", [theirs, other], rules, held)
    assert isinstance(decision, Grant) and decision.task.id == "w2", "the next one is eligible"


def test_a_zone_has_so_many_places() -> None:
    names = ("a", "b", "c")
    sections = {n: SectionView(n, n.upper(), paths=(f"apps/{n}/**",)) for n in names}
    zone = ZoneView("db", 2, sections=frozenset({"a", "b"}), paths=("apps/c/migrations/**",))
    rules = Rules(sections, [zone])
    held = [Held(lock, n) for n in ("a", "b") for lock in rules.locks_of(task(n, n))]
    assert waits_for("a", pick("c", [task("c", "c")], rules, held)), "its paths touch the zone"
    assert isinstance(pick("c", [task("c", "c")], rules, held[:1]), Grant)
    elsewhere = TaskView("d", "c", paths=("apps/c/src/**",))
    assert isinstance(pick("c", [elsewhere], rules, held), Grant), "it says that it does not"


def test_a_section_that_waits_for_a_zone_has_its_turn() -> None:
    sections = {n: SectionView(n, n) for n in ("a", "b", "c")}
    rules = Rules(sections, [ZoneView("z", 1, sections=frozenset(sections))])
    turns = [Turn("b", rules.locks_of(task("b", "b")))]

    def tasks_of(section_id: str) -> list[TaskView]:
        return [task(section_id, section_id)]

    assert picking.pick(["c"], tasks_of, rules, Board(), turns) == Wait(turn="b")


def test_a_single_runner_takes_the_first_section_that_has_something_eligible() -> None:
    tasks = [task("w", "web"), task("t", "types")]
    held = held_by("x", "web")
    decision = pick(["web", "api", "types"], tasks, SECTIONS, held)
    assert waits_for("x", decision), "Types is read by what is in progress"
    alone = {**SECTIONS, "docs": SectionView("docs", "Docs")}
    decision = pick(["web", "api", "docs"], [*tasks, task("d", "docs")], alone, held)
    assert isinstance(decision, Grant) and decision.task.id == "d"


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
    rules = Rules(sections, dependents_only=data.draw(st.booleans()))
    held: list[Held] = []
    for number in range(data.draw(st.integers(1, 12))):
        section = data.draw(st.sampled_from(names))
        decision = pick(section, [task(f"t{number}", section)], rules, held)
        wanted = rules.locks_of_section(section)
        if isinstance(decision, Grant):
            assert decision.locks == wanted
            assert not any(
                lock.resource == other.lock.resource and (lock.exclusive or other.lock.exclusive)
                for lock in wanted
                for other in held
            )
            held += [Held(lock, decision.task.id) for lock in decision.locks]
        else:
            assert Board(held).blockers(wanted)
