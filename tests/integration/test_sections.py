"""Sections: what they may be, how they change, when they may go."""

from typing import Any

import pytest

from steroids.errors import Ambiguous, Busy, NotFound, SectionBusy, SteroidsError, UsageError
from steroids.services import section_edits, sections, tasks
from steroids.services.section_rules import Cycle, DuplicateName
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.assignment import Kind, Outcome
from steroids.wire.section import Isolation, Section, SectionAdd, SectionEdit
from steroids.wire.task import TaskAdd, TaskStatus
from tests.support.service import SPEC, Bench


def add(project: Bench, name: str, **more: Any) -> Section:
    body = SectionAdd(name=name, paths=more.pop("paths", ["apps/**"]), **more)
    return sections.add(project.host, project.project, body)


def edit(project: Bench, word: str, **changes: Any) -> Section:
    return section_edits.edit(project.host, project.project, word, SectionEdit(**changes))


def remove(project: Bench, name: str, *, dry_run: bool = False) -> Section:
    return section_edits.remove(project.host, project.project, name, dry_run=dry_run)


def names(project: Bench) -> list[str]:
    return [each.name for each in sections.listing(project.project)]


def views(project: Bench) -> dict[str, Any]:
    with project.project.store.read() as session:
        return {each.name: each for each in sections.views(session).values()}


def unfinished(project: Bench) -> set[str]:
    with project.project.store.read() as session:
        ids = sections.unfinished(session)
    found = {each.name for each in sections.listing(project.project) if each.id in ids}
    assert len(found) == len(ids), "only the living count"
    return found


def end(project: Bench, title: str, status: TaskStatus) -> None:
    with project.project.store.write() as session:
        row = tasks.named(session, title)
        row.status = status
        session.add(row)


def test_all_that_is_said_of_a_section_is_kept(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text("shared_resources: [port-80, simulator]\n")
    add(project, "Types")
    add(project, "Phase 1")
    body = SectionAdd(
        name="  API ",
        paths=["apps/api/**", "/README", "apps/api/**"],
        isolation=Isolation.EXCLUSIVE,
        dependencies=["types"],
        after=["Phase 1"],
        check=["npm test"],
        setup=["npm ci", "npm run codegen"],
        image="my/dev-image",
        resources=["simulator"],
        priority=10,
    )
    added = sections.add(project.host, project.project, body)
    assert added == sections.show(project.project, "api")
    assert (added.name, added.paths) == ("API", ["apps/api/**", "/README"])
    assert (added.dependencies, added.after) == (["Types"], ["Phase 1"])
    assert (added.check, added.setup) == (["npm test"], ["npm ci", "npm run codegen"])
    assert (added.image, added.resources) == ("my/dev-image", ["simulator"])
    assert (added.isolation, added.priority, added.position) == (Isolation.EXCLUSIVE, 10, 3)
    assert (added.skipped, added.blocked_by, added.tasks) == (False, [], 0)
    view = views(project)["API"]
    by_name = {each.name: each.id for each in sections.listing(project.project)}
    assert view.exclusive and view.paths == ("apps/api/**", "/README")
    assert view.dependencies == {by_name["Types"]} and view.after == {by_name["Phase 1"]}
    assert (view.skipped, view.priority, view.position) == (False, 10, 3)
    assert names(project) == ["API", "Types", "Phase 1"], "in working order"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "no name for a section"),
    ({"name": "-x"}, "no name for a section"),
    ({"name": "a" * 65}, "no name for a section"),
    ({"name": "a\nb"}, "no name for a section"),
    ({"name": "a[b]"}, "no name for a section"),
    ({"paths": []}, "needs a path"),
    ({"paths": [""]}, "is empty"),
    ({"paths": ["../other/**"]}, "leaves the repository"),
    ({"paths": ["apps/[z-a]"]}, "backwards"),
    ({"paths": ["apps/[ab"]}, "without its"),
    ({"paths": ["aps/api/**"]}, "There is no 'aps'"),
    ({"paths": ["/etc/passwd"]}, "There is no 'etc'"),
    ({"paths": ["apps/**", "packages/shared-*"]}, "There is no 'packages'"),
    ({"paths": [f"apps/{n}" for n in range(101)]}, "too many"),
    ({"priority": -1}, "-1 is no priority"),
    ({"priority": 101}, "101 is no priority"),
    ({"resources": ["simulator"]}, r"'simulator' is not declared .*\(port-80\)"),
    ({"image": "my image"}, "no name of an image"),
    ({"image": ""}, "no name of an image"),
    ({"image": "x\n"}, "no name of an image"),
    ({"check": ["true", " "]}, "A check is a command"),
    ({"setup": ["a\0b"]}, "A set-up is a command"),
    ({"ports": [3000, 0]}, "0 is no port: there are 1 to 65535"),
    ({"ports": [65_536]}, "65536 is no port"),
    ({"ports": [3000, 80, 3000]}, "Port 3000 is named twice"),
]


def test_what_a_section_cannot_be_nor_become(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text("shared_resources: [port-80]\n")
    real = add(project, "Real")
    for what, words in BAD:
        for attempt in (add, edit):
            given = {"name": "API", **what} if attempt is add else {"word": "Real", **what}
            with pytest.raises(UsageError, match=words) as caught:
                attempt(project, **given)
            assert caught.value.exit_code == 2 and caught.value.hint
            assert sections.listing(project.project) == [real], what


def test_a_path_of_this_machine_is_told_apart(project: Bench) -> None:
    with pytest.raises(UsageError, match="of this machine"):
        add(project, "API", paths=[f"{project.repo.path}/apps/**"])


def test_only_the_fixed_part_of_a_path_can_be_missing(project: Bench) -> None:
    paths = ["*.md", "**/Dockerfile", "/apps/", "apps/new/**", "[a-c]*/x", "\\apps"]
    assert add(project, "API", paths=paths).paths == paths


def test_a_name_is_there_once_in_any_case(project: Bench) -> None:
    add(project, "API")
    add(project, "Web")
    with pytest.raises(DuplicateName, match="There is a section 'api' already") as caught:
        add(project, "api")
    assert (caught.value.code, caught.value.exit_code) == ("DUPLICATE_NAME", 2)
    with pytest.raises(DuplicateName, match="There is a section 'Api' already"):
        edit(project, "Web", name="Api")
    assert edit(project, "API", name="api").name == "api", "its own name in another case"
    assert names(project) == ["api", "Web"]


def test_what_is_not_named_stays_and_null_takes_an_override_away(project: Bench) -> None:
    before = add(project, "API", check=["a"], setup=["b"], image="c", resources=[], priority=7)
    assert edit(project, "API") == before
    assert edit(project, "API", setup=None).setup is None
    assert edit(project, "API", image=None, resources=None).image is None
    assert edit(project, "API", ports=[3000, 80]).ports == [3000, 80]
    assert edit(project, "API", priority=7).ports == [3000, 80]
    assert edit(project, "API", ports=[]).ports == []
    after = edit(project, "API", name="Backend", paths=["README"], check=[], skipped=True)
    assert (after.id, after.name, after.paths) == (before.id, "Backend", ["README"])
    assert (after.check, after.setup, after.image, after.resources) == ([], None, None, None)
    assert (after.priority, after.skipped) == (7, True)
    assert views(project)["Backend"].skipped


def test_an_edit_that_is_refused_in_one_thing_changes_nothing(project: Bench) -> None:
    before = add(project, "API")
    with pytest.raises(UsageError):
        edit(project, "API", name="New", paths=["README"], skipped=True, priority=101)
    assert sections.listing(project.project) == [before]


@pytest.mark.parametrize("kind", ["dependencies", "after"])
def test_relations_are_added_and_dropped_one_by_one(project: Bench, kind: str) -> None:
    for name in ("Types", "Icons", "API"):
        add(project, name)

    def related(**changes: Any) -> list[str]:
        found: list[str] = getattr(edit(project, "API", **changes), kind)
        return found

    assert related(**{f"add_{kind}": ["Types"]}) == ["Types"]
    assert related(**{f"add_{kind}": ["Icons", "types"]}) == ["Types", "Icons"]
    assert related(**{f"drop_{kind}": ["types"]}) == ["Icons"]
    with pytest.raises(NotFound, match=r"API does not (depend on|come after) Types"):
        related(**{f"drop_{kind}": ["Types"]})
    assert related(**{kind: ["Types"]}) == ["Types"]
    assert related(**{kind: []}) == []
    with pytest.raises(NotFound, match="No section 'Nowhere'"):
        related(**{f"add_{kind}": ["Nowhere"]})


@pytest.mark.parametrize("kind", ["dependencies", "after"])
def test_a_circle_is_refused_and_the_way_is_told(project: Bench, kind: str) -> None:
    add(project, "Types")
    add(project, "API", **{kind: ["Types"]})
    add(project, "Web", **{kind: ["API"]})
    add(project, "Icons")
    edit(project, "Types", **{f"add_{kind}": ["Icons"]})
    for name, other, way in (
        ("Icons", "Types", ["Icons", "Types", "Icons"]),
        ("Types", "Web", ["Types", "Web", "API", "Types"]),
        ("Types", "API", ["Types", "API", "Types"]),
        ("API", "Web", ["API", "Web", "API"]),
        ("Types", "types", ["Types", "Types"]),
    ):
        with pytest.raises(Cycle) as caught:
            edit(project, name, **{f"add_{kind}": [other]})
        assert caught.value.details["cycle"] == way
        assert (caught.value.code, caught.value.exit_code) == ("CYCLE", 2)
    assert " -> ".join(["Types", "API", "Types"]) in cycle_message(project, kind)
    with pytest.raises(Cycle, match="Own cannot"):
        add(project, "Own", **{kind: ["own"]})
    assert getattr(sections.show(project.project, "Types"), kind) == ["Icons"]
    assert "Own" not in names(project)


def cycle_message(project: Bench, kind: str) -> str:
    with pytest.raises(Cycle) as caught:
        edit(project, "Types", **{kind: ["API"]})
    return caught.value.message


def test_the_two_kinds_of_relation_make_no_circle_together(project: Bench) -> None:
    add(project, "Types")
    add(project, "API", dependencies=["Types"])
    assert edit(project, "Types", add_after=["API"]).after == ["API"]


def test_a_section_waits_for_every_task_that_is_not_done(project: Bench) -> None:
    for name, after in (("One", []), ("Two", ["One"]), ("Three", ["Two"])):
        add(project, name, after=after)
    task = project.task("Work", "One").title
    waits = {status: status.value not in ("completed", "skipped") for status in TaskStatus}
    for status, keeps in waits.items():
        end(project, task, status)
        assert unfinished(project) == ({"One"} if keeps else set()), status
        by_name = {each.name: each.blocked_by for each in sections.listing(project.project)}
        assert by_name == {"One": [], "Two": ["One"][:keeps], "Three": ["One"][:keeps]}, status


def test_tasks_are_counted_until_they_are_at_an_end(project: Bench) -> None:
    add(project, "API")
    add(project, "Web")
    for title in ("One", "Two", "Three"):
        project.task(title, "API")
    end(project, "One", TaskStatus.FAILED)
    end(project, "Two", TaskStatus.REVIEW)
    assert [each.tasks for each in sections.listing(project.project)] == [2, 0]


def refused(project: Bench, name: str, words: str, hint: str) -> SteroidsError:
    """In earnest and on trial alike; and nothing has happened."""
    before = sections.listing(project.project)
    for dry_run in (True, False):
        with pytest.raises(Busy, match=words) as caught:
            remove(project, name, dry_run=dry_run)
        assert caught.value.exit_code == 6 and hint in (caught.value.hint or "")
    assert sections.listing(project.project) == before
    return caught.value


def test_a_section_goes_when_nothing_needs_it_and_leaves_its_history(project: Bench) -> None:
    add(project, "API")
    project.task("Old", "API")
    end(project, "Old", TaskStatus.COMPLETED)
    assert remove(project, "API", dry_run=True).removed_at is None
    assert names(project) == ["API"]
    with project.project.store.write() as session:
        row = sections.named(session, "API")
        row.wanted = "fake"
        session.add(row)
    removed = remove(project, "API")
    assert removed.removed_at is not None and removed.removed_at <= utc_now()
    assert names(project) == [] and views(project) == {}
    with project.project.store.read() as session:
        assert session.get_one(db.Section, removed.id).wanted is None
    with pytest.raises(NotFound, match="No section 'API'"):
        remove(project, "API")
    with pytest.raises(NotFound, match="No section"):
        edit(project, removed.id, priority=1)
    with pytest.raises(NotFound, match="No section 'API'"):
        project.task("New", "API")
    again = add(project, "api")
    assert again.id != removed.id and again.tasks == 0
    assert [each.section for each in tasks.listing(project.project)] == ["API"]


def test_a_section_with_open_tasks_stays(project: Bench) -> None:
    add(project, "API")
    for title in ("One", "Two", "Three"):
        project.task(title, "API")
    end(project, "One", TaskStatus.APPROVED)
    end(project, "Two", TaskStatus.FAILED)
    error = refused(project, "API", "API has 2 unfinished tasks: 1 approved, 1 pending", "tasks")
    assert (error.code, error.details["tasks"]) == ("SECTION_IN_USE", 2)
    end(project, "One", TaskStatus.COMPLETED)
    end(project, "Three", TaskStatus.SKIPPED)
    remove(project, "API")
    assert unfinished(project) == set(), "what a removed section left undone keeps nobody"


def test_a_section_with_a_runner_stays(project: Bench) -> None:
    add(project, "API")
    runner = project.runner("API")
    error = refused(project, "API", f"API has a runner: {runner.id[:8]}", "steroids down")
    assert isinstance(error, SectionBusy)


def test_a_section_that_others_name_stays(project: Bench) -> None:
    add(project, "Types")
    add(project, "API", dependencies=["Types"])
    add(project, "Web", dependencies=["Types"], after=["API"])
    hint = "steroids sections no-depends-on 'API' 'Types'"
    error = refused(project, "Types", "API and Web depend on Types", hint)
    assert error.details["dependents"] == ["API", "Web"]
    refused(project, "API", "Web comes after API", "edit 'Web' --no-after 'API'")
    edit(project, "Web", drop_after=["API"], drop_dependencies=["Types"])
    remove(project, "API")
    remove(project, "Types")
    assert names(project) == ["Web"]


def test_an_id_names_a_section_too_and_one_that_fits_many_does_not(project: Bench) -> None:
    ids = [add(project, f"S{number}").id for number in range(17)]
    assert sections.show(project.project, ids[3][:12]).name == "S3"
    first = next(each for each in "0123456789abcdef" if sum(i[0] == each for i in ids) > 1)
    with pytest.raises(Ambiguous):
        sections.show(project.project, first)


def test_a_tasks_globs_are_checked_and_kept_once(project: Bench) -> None:
    add(project, "API")

    def task(*globs: str) -> list[str]:
        body = TaskAdd(title="T", section="API", spec=SPEC, affected_paths=list(globs))
        return tasks.add(project.host, project.project, body).affected_paths

    assert task("apps/api/**", "new/file.ts", "apps/api/**") == ["apps/api/**", "new/file.ts"]
    with pytest.raises(UsageError, match=r"'\.\./x' cannot be a path: it leaves the repository"):
        task("apps/api/**", "../x")
    assert len(tasks.listing(project.project)) == 1


def test_a_finished_section_lets_those_after_it_begin(project: Bench) -> None:
    """From the first claim to the end, through the same services that runners use."""
    add(project, "One", check=["true"])
    add(project, "Two", after=["One"])
    project.task("First", "One")
    project.task("Second", "Two")
    one, two = project.runner("One"), project.runner("Two")
    working = project.claim(one)
    assert working is not None and project.claim(two) is None
    project.submit(one, working, outcome=Outcome.UNUSABLE, reason="no")
    other = project.claim(two)
    assert other is None or other.kind is not Kind.CODE, "one that failed is not done"
    end(project, "First", TaskStatus.SKIPPED)
    begun = project.claim(two)
    assert begun is not None and begun.task is not None and begun.task.title == "Second"
