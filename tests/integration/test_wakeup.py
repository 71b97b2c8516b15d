"""Wakeups over real stores and mirrors, with an engine in memory and rounds done beside."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from steroids.engines.fake import FakeEngine
from steroids.errors import SteroidsError
from steroids.services import registry, sections, tasks, wakeup_book, wakeup_patience, wanting
from steroids.services import wakeup as service
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.wakeup import wakeup
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.project import Init
from steroids.wire.runner import Role, Up
from steroids.wire.section import SectionAdd
from steroids.wire.task import TaskAdd, TaskStatus
from steroids.wire.wakeup import Action, Wakeups, Woken
from tests.support.repos import new_repo
from tests.support.service import SPEC, AtOnce

A, R, W, S, N = Action.STARTED, Action.RUNNING, Action.WOULD_START, Action.SKIPPED, Action.NONE


@dataclass
class Hosts:
    """A host with projects; `started` are those that `up` was asked for, and of which sections."""

    root: Path
    host: Host
    jobs: Jobs
    started: dict[str, list[str]]

    def project(self, name: str, *work: str) -> OpenProject:
        """With sections `API` and `Web`; a task in each of those named."""
        repo = new_repo(self.root / name)
        repo.commit("first", {"API/a": "1\n", "Web/a": "1\n"})
        registry.init(self.host, Init(path=str(repo.path)))
        project = registry.at(self.host, str(repo.path))
        for each in ("API", "Web"):
            sections.add(self.host, project, SectionAdd(name=each, paths=[f"{each}/**"]))
        for each in work:
            tasks.add(self.host, project, TaskAdd(title="Work", section=each, spec=SPEC))
        return project

    def runner(self, project: OpenProject, section: str | None) -> None:
        with project.store.read() as session:
            section_id = sections.named(session, section).id if section else None
        with self.host.store.write() as session:
            rows.register(
                session,
                project_id=project.id,
                role=Role.SECTION if section else Role.SINGLE,
                section_id=section_id,
                engine="fake",
                engine_address="x",
            )

    def change(self, project: OpenProject, **values: Any) -> None:
        with self.host.store.write() as session:
            row = session.get_one(home.Project, project.id)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    def wake(self, *, dry_run: bool = False) -> dict[str, Woken]:
        """What it did, by the projects' names."""
        with rounds(self.host):
            answer = wakeup(self.host, self.jobs, dry_run=dry_run)
        return {Path(each.project).name: each for each in answer.results}

    def settings(self, text: str) -> None:
        (self.host.path / "config.yaml").write_text(text)


@contextmanager
def rounds(host: Host) -> Iterator[None]:
    """Rounds of reconciling that find nothing to do."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.005):
            with host.rounds.round():
                pass

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    (tmp_path / "home").mkdir(mode=0o700)
    engine = FakeEngine()
    host = Host(tmp_path / "home", lambda name: engine, lambda: None, lambda: None)
    made = Hosts(tmp_path, host, Jobs(AtOnce(), lambda: None), {})
    real = wanting.up

    def up(host: Host, project: OpenProject, body: Up) -> Any:
        made.started[project.name] = list(body.sections)
        return real(host, project, body)

    monkeypatch.setattr(wanting, "up", up)
    yield made
    host.close()
    engine.close()


def test_each_project_gets_what_it_needs(hosts: Hosts) -> None:
    hosts.project("idle")
    hosts.project("work", "API", "Web")
    hosts.runner(hosts.project("half", "API", "Web"), "API")
    hosts.runner(hosts.project("alive", "API"), "API")
    hosts.runner(hosts.project("single", "API", "Web"), None)
    hosts.change(hosts.project("off", "API"), enabled=False)
    (hosts.project("gone", "API").path / ".steroids").rename(hosts.root / "unmounted")
    dry = hosts.wake(dry_run=True)
    assert hosts.started == {} and {each.action for each in dry.values()} >= {W, R, S, N}
    done = hosts.wake()
    assert {name: each.action for name, each in done.items()} == {
        **{"idle": N, "work": A, "half": A, "alive": R, "single": R, "off": S, "gone": S}
    }
    assert hosts.started == {"work": ["API", "Web"], "half": ["Web"]}
    assert (done["work"].runners, done["half"].runners, done["alive"].runners) == (2, 2, 1)
    assert done["work"].sections == ["API", "Web"] and done["off"].reason == "disabled"
    same = {name: each.action for name, each in done.items()}
    assert {name: A if each.action is W else each.action for name, each in dry.items()} == same


def test_what_cannot_be_begun_starts_nothing(hosts: Hosts) -> None:
    project = hosts.project("app", "API", "Web")
    with project.store.write() as session:
        api, web = sections.named(session, "API"), sections.named(session, "Web")
        api.skipped = True
        task = session.exec(select(db.Task).where(db.Task.section_id == web.id)).one()
        task.status = TaskStatus.BLOCKED
        session.add_all([api, task])
    assert hosts.wake()["app"].action is N
    assert hosts.started == {}


def test_an_error_of_one_stops_no_other(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's remote does not answer, one's store is broken, one meets a bug."""
    real: Callable[..., Any] = wanting.up

    def up(host: Host, project: OpenProject, body: Up) -> Any:
        if project.name == "b-away":
            raise SteroidsError("the remote does not answer", hint="ping")
        if project.name == "c-bug":
            raise ZeroDivisionError
        return real(host, project, body)

    monkeypatch.setattr(wanting, "up", up)
    broken = hosts.project("a-broken", "API")
    for name in ("b-away", "c-bug", "d-good"):
        hosts.project(name, "API")
    hosts.host.release(broken.id)
    for path in (broken.path / ".steroids").glob("steroids.db*"):
        path.unlink()
    (broken.path / ".steroids" / "steroids.db").write_text("no database, for sure")
    done = hosts.wake()
    assert {name: (each.action, each.failed) for name, each in done.items()} == {
        **{"a-broken": (S, True), "b-away": (S, True), "c-bug": (S, True), "d-good": (A, False)}
    }
    assert done["b-away"].reason == "the remote does not answer   (ping)"
    (past,) = wakeup_book.listing(hosts.host).wakeups
    assert [Path(each.project).name for each in past.results] == list(done) and past.projects == 4


def test_the_host_has_room_for_so_many(hosts: Hosts) -> None:
    """Each project gets one before any gets two, and who has waited longest comes first."""
    hosts.settings("{runners: {max_on_host: 4}}")
    hosts.runner(hosts.project("a", "API", "Web"), "API")
    for name in ("b", "c", "d"):
        hosts.project(name, "API", "Web")
    done = hosts.wake()
    assert {name: each.sections for name, each in done.items()} == {
        **{"a": [], "b": ["API"], "c": ["API"], "d": ["API"]}
    }
    assert done["a"].action is R
    assert "max_on_host is 4" in done["a"].reason and not done["a"].failed


def test_a_project_keeps_to_its_own_limit(hosts: Hosts) -> None:
    hosts.settings("{runners: {max_parallel: 1}}")
    hosts.project("app", "API", "Web")
    assert hosts.wake()["app"].sections == ["API"]
    hosts.runner(hosts.project("full", "API", "Web"), "API")
    assert hosts.wake()["full"].action is R


def test_the_second_of_two_returns_at_once(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts.project("app", "API")
    inside, go_on, answers = threading.Event(), threading.Event(), list[Wakeups]()
    real = wanting.up

    def slow(host: Host, project: OpenProject, body: Up) -> Any:
        inside.set()
        assert go_on.wait(60)
        return real(host, project, body)

    monkeypatch.setattr(wanting, "up", slow)
    with rounds(hosts.host):
        first = threading.Thread(target=lambda: answers.append(wakeup(hosts.host, hosts.jobs)))
        first.start()
        assert inside.wait(60)
        second = wakeup(hosts.host, hosts.jobs)
        go_on.set()
        first.join()
        third = wakeup(hosts.host, hosts.jobs)
    assert second.in_progress and second.results == []
    assert not answers[0].in_progress and not third.in_progress
    assert len(wakeup_book.listing(hosts.host).wakeups) == 2


def test_a_round_is_waited_for_and_not_for_ever(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that began before may have looked before the runner died."""
    seen = threading.Event()
    with hosts.host.rounds.round():
        assert not hosts.host.rounds.wait(0)

        def wait() -> None:
            if hosts.host.rounds.wait(60):
                seen.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
    assert not hosts.host.rounds.wait(0), "that round is over, and was no answer"
    with rounds(hosts.host):
        waiting.join()
    assert seen.is_set()
    hosts.project("app", "API")
    monkeypatch.setattr(service, "ROUND_S", 0.01)
    (app,) = wakeup(hosts.host, hosts.jobs).results
    assert app.action is A


def test_a_start_that_fails_is_not_tried_each_minute(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = hosts.project("app", "API")
    say(hosts.host, project, EventKind.FAILED, "npm ci failed", section="API")
    done = hosts.wake()["app"]
    assert (done.action, done.failed) == (S, True) and "tried again at" in done.reason
    delays = []
    for _ in range(7):
        with project.store.read() as session:
            until = wakeup_patience.until(session, "API")
        assert until is not None
        delays.append(round((until - utc_now()) / timedelta(minutes=1)))
        say(hosts.host, project, EventKind.FAILED, "npm ci failed", section="API")
    assert delays == [2, 4, 8, 16, 32, 60, 60]
    monkeypatch.setattr(
        "steroids.services.wakeup_plan.utc_now", lambda: utc_now() + timedelta(hours=2)
    )
    assert hosts.wake()["app"].action is A
    say(hosts.host, project, EventKind.CLAIMED, section="API")
    with project.store.read() as session:
        assert wakeup_patience.until(session, "API") is None


def test_the_last_ones_are_kept(hosts: Hosts) -> None:
    for number in range(wakeup_book.KEPT + 5):
        wakeup_book.note(hosts.host, utc_now(), number, [])
    past = wakeup_book.listing(hosts.host).wakeups
    assert [each.took_s for each in past] == list(range(54, 4, -1))
