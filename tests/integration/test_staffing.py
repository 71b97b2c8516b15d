"""Between those who want a runner and those who do not any more."""

import dataclasses

import pytest
from sqlmodel import select

from steroids.engines.base import Engine
from steroids.services import launching, registration, runners, wanting
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.home_models import Runner
from steroids.wire.runner import Down, RunnerStatus
from tests.support.service import Bench


def wanted(project: Bench, name: str) -> db.Section:
    project.section(name)
    project.task("Work", name)
    project.host.engine("fake")
    with project.project.store.write() as session:
        section = session.exec(select(db.Section)).one()
        section.wanted = project.engine.address
        session.add(section)
    return section


def states(project: Bench) -> list[str]:
    with project.host.store.read() as session:
        return [row.status for row in session.exec(select(home.Runner))]


def test_a_start_that_was_decided_on_before_down_starts_nothing(project: Bench) -> None:
    section = wanted(project, "API")
    wanting.down(project.host, project.project, Down())
    launching.start(project.host, project.project, section)
    assert states(project) == []


def test_down_in_the_moment_of_a_start_leaves_no_runner(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for runners just before this one is on the books."""
    section = wanted(project, "API")
    real = registration.register

    def late(
        host: Host, opened: OpenProject, row: db.Section | None, engine: Engine, *, keep: bool
    ) -> tuple[Runner, str]:
        assert wanting.down(host, opened, Down()) == []
        return real(host, opened, row, engine, keep=keep)

    monkeypatch.setattr(launching, "register", late)
    launching.start(project.host, project.project, section)
    assert states(project) == [RunnerStatus.STOPPED]
    assert runners.listing(project.host, project.project) == []
    assert project.engine.list_owned({}) == []


def test_who_starts_without_isolation_is_told(project: Bench) -> None:
    project.section("API", check=("true",))
    known = project.engine.capabilities()
    assert runners.notes(project.host, project.project, None, known) == []
    bare = dataclasses.replace(known, isolated=False)
    (note,) = runners.notes(project.host, project.project, None, bare)
    assert "keeps files apart, not the machine" in note
