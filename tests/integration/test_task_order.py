"""Tasks that come after others: when they may begin, and that nobody waits for ever."""

from datetime import timedelta

import pytest
from sqlmodel import select

from steroids.services import demand, task_edits, tasks, wanting
from steroids.services import status as status_of
from steroids.services.clock import steady_now
from steroids.services.prospects import Prospects, prospects
from steroids.services.staffing import _look
from steroids.services.stopping import never_started
from steroids.services.task_order import completed
from steroids.services.transitions import move
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Kind
from steroids.wire.runner import Up
from steroids.wire.task import Task, TaskAdd, TaskEdit, TaskStatus
from tests.support.service import SPEC, Bench

S = TaskStatus


def add(project: Bench, title: str, section: str, *after: str) -> Task:
    body = TaskAdd(title=title, section=section, spec=SPEC, after=list(after))
    return tasks.add(project.host, project.project, body)


def complete(project: Bench, task: Task) -> None:
    """As landing does it, at its end."""
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        row.status = S.APPROVED
        move(session, row, S.COMPLETED, actor="landing")
        completed(session, row)


def want(project: Bench, *names: str) -> None:
    with project.project.store.write() as session:
        for section in session.exec(select(db.Section)):
            section.wanted = "x" if section.name in names else None
            session.add(section)


def left(project: Bench, *names: str) -> list[str]:
    """Those of the sections that have work for a runner, when these have one."""
    want(project, *names)
    with project.project.store.read() as session:
        rules = demand.rules_of(session, project.host.settings(project.project).runners)
        ahead = prospects(session, rules)
        rows = session.exec(select(db.Section)).all()
        return [row.name for row in rows if row.name in names and ahead.work_left(row.id)]


def notices(project: Bench) -> list[str]:
    with project.project.store.read() as session:
        query = select(db.Event.text).where(db.Event.kind == "notice")
        return list(session.exec(query))


def test_a_task_begins_when_all_that_it_comes_after_is_completed(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    one, two = add(project, "One", "API"), add(project, "Two", "API")
    later = add(project, "Later", "Web", "One", "Two")
    last = add(project, "Last", "Web", "Later")
    assert later.waits_for == "'One', 'Two'"
    assert project.claim(project.runner("Web", keep=True)) is None
    complete(project, one)
    assert project.look(later).status == S.BLOCKED
    assert project.look(later).waits_for == "'Two'"
    complete(project, two)
    assert (project.look(later).status, project.look(last).status) == (S.PENDING, S.BLOCKED)
    assert notices(project) == ["'Later' can be begun: 'Two' is completed"]
    with project.project.store.read() as session:
        query = select(db.Audit).where(db.Audit.task_id == later.id)
        assert [(each.to_status, each.actor) for each in session.exec(query)] == [
            ("blocked", "user"),
            ("pending", "order"),
        ]
    claimed = project.claim(project.runner("Web"))
    assert claimed is not None and claimed.task is not None and claimed.task.title == "Later"


def test_who_comes_after_what_is_done_does_not_wait(project: Bench) -> None:
    project.section("API")
    one = add(project, "One", "API")
    complete(project, one)
    assert add(project, "Two", "API", "One").status == S.PENDING


@pytest.mark.parametrize(
    ("status", "words"),
    [(S.FAILED, "failed"), (S.DISPUTED, "is disputed"), (S.SKIPPED, "is skipped")],
)
def test_what_will_not_be_done_is_named_with_the_way_out(
    project: Bench, status: TaskStatus, words: str
) -> None:
    project.section("API")
    one, other = add(project, "One", "API"), add(project, "Other", "API")
    later = add(project, "Later", "API", "Other", "One")
    project.put(one, status)
    now = project.look(later)
    assert now.status == S.BLOCKED and now.waits_for == f"'One', which {words}"
    assert now.reason is not None and now.reason.splitlines() == [
        f"waits for 'One', which {words}",
        f"hint: steroids tasks retry {one.id[:8]}, or: "
        f"steroids tasks edit {later.id[:8]} --no-after",
    ]
    project.put(other, S.COMPLETED)
    freed = task_edits.edit(project.host, project.project, "Later", TaskEdit(after=[]))
    assert (freed.status, freed.waits_for, freed.reason) == (S.PENDING, None, None)


def test_work_that_others_will_unblock_is_work_left(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    one = add(project, "One", "API")
    add(project, "Two", "Web", "One")
    add(project, "Three", "Web", "Two")
    assert left(project, "API", "Web") == ["API", "Web"]
    assert left(project, "Web") == [], "nobody works on what it waits for"
    project.put(one, S.REVIEW)
    assert left(project, "Web") == ["Web"], "that goes on without a runner"
    project.put(one, S.REVIEW, awaits="human")
    assert left(project, "API", "Web") == []
    project.put(one, S.APPROVED, awaits=None)
    assert left(project, "API", "Web") == ["API", "Web"]
    project.put(one, S.APPROVED, push_refused=True)
    assert left(project, "API", "Web") == []
    for status in (S.FAILED, S.DISPUTED, S.SKIPPED):
        project.put(one, status, push_refused=False)
        assert left(project, "API", "Web") == []
    project.put(one, S.PENDING)
    assert left(project, "API", "Web") == ["API", "Web"]


def test_work_in_a_section_that_will_not_be_begun_is_waited_for_by_nobody(project: Bench) -> None:
    project.section("Base")
    project.section("API", after=("Base",))
    project.section("Web")
    base = add(project, "Base", "Base")
    add(project, "One", "API")
    add(project, "Two", "Web", "One")
    every = ("Base", "API", "Web")
    assert left(project, *every) == [*every]
    project.put(base, S.FAILED)
    assert left(project, *every) == []
    project.put(base, S.COMPLETED)
    with project.project.store.write() as session:
        section = session.exec(select(db.Section).where(db.Section.name == "API")).one()
        section.skipped = True
        session.add(section)
    assert left(project, *every) == []


def test_a_circle_of_sections_and_tasks_ends(project: Bench) -> None:
    """Web is begun after API, and a task of API's waits for one of Web's."""
    project.section("API")
    project.section("Web", after=("API",))
    other = add(project, "Other", "API")
    add(project, "Page", "Web")
    add(project, "Endpoint", "API", "Page")
    assert left(project, "API", "Web") == ["API"], "as long as there is another one"
    complete(project, other)
    assert left(project, "API", "Web") == []
    runner = project.runner("API")
    stop = project.claim(runner)
    assert stop is not None and (stop.kind, stop.reason) == (Kind.STOP, "drained")


def test_a_section_after_one_whose_task_stays_blocked_is_stuck(project: Bench) -> None:
    project.section("Base")
    project.section("API")
    project.section("Web", after=("API",))
    base = add(project, "Base", "Base")
    add(project, "One", "API", "Base")
    add(project, "Two", "Web")
    every = ("Base", "API", "Web")
    assert left(project, *every) == [*every]
    project.put(base, S.DISPUTED)
    assert left(project, *every) == []


def test_a_single_runner_works_everywhere(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    add(project, "One", "API")
    add(project, "Two", "Web", "One")
    with project.project.store.read() as session:
        rules = demand.rules_of(session, project.host.settings(project.project).runners)
        ahead = Prospects(session, rules, None)
        assert all(ahead.work_left(each) for each in rules.sections)


def test_a_runner_says_which_task_it_waits_for(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    add(project, "One", "API")
    add(project, "Two", "Web", "One")
    want(project, "API", "Web")
    runner = project.runner("Web")
    assert project.claim(runner) is None
    with project.host.store.read() as session:
        row = session.get_one(type(runner), runner.id)
        assert (row.status, row.waits_for) == ("waiting", "'One' to be completed")


def test_who_waits_for_a_task_takes_no_place(project: Bench) -> None:
    """With one place, a runner that only waits would keep the other one from starting."""
    project.section("API")
    project.section("Web")
    one = add(project, "One", "API")
    add(project, "Two", "Web", "One")
    reply = wanting.up(project.host, project.project, Up())
    assert reply.sections == ["API", "Web"] and reply.starting == ["API"]
    with project.project.store.read() as session:
        rules = demand.rules_of(session, project.host.settings(project.project).runners)
        ahead = prospects(session, rules)
        rows = session.exec(select(db.Section)).all()
        found = {row.name: _look(session, row, rules, ahead) for row in rows}
    assert found["API"].ready and not found["Web"].ready
    assert not found["Web"].over and not found["Web"].claimable
    queued = status_of.status(project.host, project.project).queued
    assert [(each.section, each.reason) for each in queued if each.section == "Web"] == [
        ("Web", "waits for 'One'")
    ]
    complete(project, one)
    with project.project.store.read() as session:
        rules = demand.rules_of(session, project.host.settings(project.project).runners)
        web = next(row for row in rows if row.name == "Web")
        assert _look(session, web, rules, prospects(session, rules)).ready


def test_up_leaves_out_what_waits_for_nobody(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    one = add(project, "One", "API")
    add(project, "Two", "Web", "One")
    alone = wanting.up(project.host, project.project, Up(sections=["Web"]))
    assert alone.sections == []
    assert alone.notes == ["'Two' is blocked: it waits for 'One', and API has no runner"]
    project.put(one, S.FAILED)
    every = wanting.up(project.host, project.project, Up())
    assert every.sections == []
    assert every.notes == ["'Two' is blocked: it waits for 'One', which failed"]


def test_a_section_that_waited_says_what_for_when_it_gives_up(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    one = add(project, "One", "API")
    two = add(project, "Two", "Web", "One")
    want(project, "API", "Web")
    never_started(project.host, project.project, two.section_id)
    assert notices(project) == [], "there is hope yet"
    project.put(one, S.FAILED)
    never_started(project.host, project.project, two.section_id)
    assert notices(project) == ["'Two' is blocked: it waits for 'One', which failed"]
    with project.project.store.read() as session:
        assert session.get_one(db.Section, two.section_id).wanted is None
        kinds = session.exec(select(db.Event.kind).order_by(db.Event.seq)).all()  # type: ignore[arg-type]
    assert kinds[-1] == "drained"


def test_what_waits_for_a_review_by_a_person_holds_up_nobody(project: Bench) -> None:
    """Its locks stay; those who need them go, and take no turn from others."""
    project.section("Types")
    project.section("API", "Types")
    project.section("Web")
    project.section("Release", exclusive=True)
    one, two = add(project, "One", "Types"), add(project, "Two", "API")
    add(project, "Three", "Web")
    add(project, "Four", "Release")
    runner = project.runner("Types")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    every = ("Types", "API", "Web", "Release")
    assert left(project, *every) == [*every]
    project.put(one, S.REVIEW, awaits="human")
    assert left(project, *every) == ["Web"]
    for name in ("Types", "API", "Release"):
        stop = project.claim(project.runner(name))
        assert stop is not None and stop.reason == "drained", name
    # It would go first if it waited for something that goes on by itself.
    with project.host.store.write() as session:
        row = session.get_one(home.Runner, project.runner("Release").id)
        row.waits_since = steady_now() - timedelta(hours=1)
        session.add(row)
    assert project.claim(project.runner("Web")) is not None
    with project.project.store.read() as session:
        held = session.exec(select(db.Lease).where(db.Lease.task_id == one.id)).all()
    assert {each.resource for each in held} == {"project", f"section:{one.section_id}"}
    project.put(one, S.PENDING, awaits=None)
    assert left(project, *every) == [*every]
    assert project.look(two).status == S.PENDING
