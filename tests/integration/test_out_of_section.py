"""What becomes of a task that has changed files of others."""

from collections.abc import Callable

import pytest
from sqlmodel import select

from steroids.store import project_models as db
from steroids.wire.task import Task, TaskStatus
from tests.support.service import Bench
from tests.support.submissions import (
    at_start,
    attempts,
    begun,
    check_agreement,
    configure,
    listed,
    notices,
)


@pytest.fixture
def api(project: Bench) -> Bench:
    project.section("API")
    return project


def handed_over(project: Bench, files: dict[str, str], *, title: str = "One") -> Task:
    task = project.task(title, "API")
    first = begun(project)
    project.submit(project.runner("API"), first, project.work(first, "work", files))
    return task


BEYOND = {"apps/API/x": "1\n", "apps/Web/y": "1\n", "README": "changed\n"}


def test_files_outside_the_section_are_told(api: Bench) -> None:
    task = handed_over(api, BEYOND)
    assert api.look(task).status is TaskStatus.REVIEW
    assert attempts(api, task)[0].outside == ["README", "apps/Web/y"]
    assert "changed 2 files (README, apps/Web/y) outside its section API" in notices(api)


def test_files_outside_the_section_are_a_reason_to_reject(api: Bench) -> None:
    configure(api, "out_of_section: reject\n")
    task = handed_over(api, BEYOND)
    now = api.look(task)
    assert (now.status, now.rejection_count) == (TaskStatus.PENDING, 1)
    assert now.reason is not None
    assert "2 files (README, apps/Web/y)" in now.reason and "apps/API/**" in now.reason
    check_agreement(api, task)
    api.submit(api.runner("API"), begun(api))
    assert api.look(task).rejection_count == 2, "it has not taken them back"
    third = begun(api)
    at_start(api, third)
    tip = api.agent.commit("back", {"apps/Web/y": None, "README": "hello\n"})
    api.submit(api.runner("API"), third, tip)
    assert (api.look(task).status, attempts(api, task)[2].outside) == (TaskStatus.REVIEW, [])


@pytest.mark.parametrize("setting", ["warn", "reject", "reroute"])
def test_the_roots_lockfile_is_nobodys(api: Bench, setting: str) -> None:
    configure(api, f"out_of_section: {setting}\n")
    task = handed_over(api, {"apps/API/package.json": "{}\n", "package-lock.json": "{}\n"})
    assert api.look(task).status is TaskStatus.REVIEW
    assert attempts(api, task)[0].outside == []


def leases(project: Bench) -> list[db.Lease]:
    with project.project.store.read() as session:
        return list(session.exec(select(db.Lease)))


def test_a_task_moves_to_the_section_that_its_files_are_in_and_goes_on_there(api: Bench) -> None:
    configure(api, "out_of_section: reroute\n")
    api.section("Web")
    task = handed_over(api, {"apps/Web/y": "1\n"})
    now = api.look(task)
    assert (now.status, now.section, now.rejection_count) == (TaskStatus.PENDING, "Web", 0)
    assert leases(api) == []
    assert attempts(api, task)[0].status == "rerouted"
    assert listed(api, task) == [(1, "work")]
    assert "moved to section Web" in notices(api)[-1]
    second = begun(api, "Web")
    assert second.task is not None and second.checkout is not None
    assert (second.task.id, second.task.attempt) == (task.id, 2)
    assert second.checkout.commit == now.latest_commit
    api.submit(api.runner("Web"), second)
    assert api.look(task).status is TaskStatus.REVIEW
    check_agreement(api, task)


def test_who_wants_a_task_done_wants_it_done_where_it_moved_to(api: Bench) -> None:
    configure(api, "out_of_section: reroute\n")
    api.section("Web")
    with api.project.store.write() as session:
        row = session.exec(select(db.Section).where(db.Section.name == "API")).one()
        row.wanted = "unix:///the/engine"
        session.add(row)
    handed_over(api, {"apps/Web/y": "1\n"})
    with api.project.store.read() as session:
        row = session.exec(select(db.Section).where(db.Section.name == "Web")).one()
    assert (row.wanted, row.keep) == ("unix:///the/engine", False)


def test_a_task_never_moves_back(api: Bench) -> None:
    configure(api, "out_of_section: reroute\n")
    api.section("Web")
    task = handed_over(api, {"apps/Web/y": "1\n"})
    second = begun(api, "Web")
    at_start(api, second)
    tip = api.agent.commit("all else", {"apps/Web/y": None, "apps/API/x": "1\n"})
    api.submit(api.runner("Web"), second, tip)
    now = api.look(task)
    assert (now.status, now.section) == (TaskStatus.REVIEW, "Web")
    assert attempts(api, task)[1].outside == ["apps/API/x"]


def _of_two(project: Bench) -> None:
    project.section("Web")
    project.section("Mobile")


def _twice(project: Bench) -> None:
    for name in ("Web", "Website"):
        with project.project.store.write() as session:
            position = len(name)
            session.add(db.Section(name=name, paths=["apps/Web/**"], position=position))


def _skipped(project: Bench) -> None:
    project.section("Web")
    with project.project.store.write() as session:
        row = session.exec(select(db.Section).where(db.Section.name == "Web")).one()
        row.skipped = True
        session.add(row)


@pytest.mark.parametrize(
    ("others", "files"),
    [
        (_of_two, {"apps/Web/y": "1\n", "apps/Mobile/y": "1\n"}),
        (_of_two, {"apps/Web/y": "1\n", "apps/API/y": "1\n"}),
        (_twice, {"apps/Web/y": "1\n"}),
        (_skipped, {"apps/Web/y": "1\n"}),
    ],
)
def test_a_task_moves_only_to_the_one_section_that_has_all_of_it(
    api: Bench, others: Callable[[Bench], None], files: dict[str, str]
) -> None:
    configure(api, "out_of_section: reroute\n")
    others(api)
    task = handed_over(api, files)
    now = api.look(task)
    assert (now.status, now.section) == (TaskStatus.REVIEW, "API")
    assert "outside its section API" in notices(api)[-1]
