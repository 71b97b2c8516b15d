"""Reviewers and people at the services' level: real git, a real store, no container."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
from sqlmodel import col, select

from steroids.errors import SteroidsError
from steroids.provisioning.oneshot import Unwanted
from steroids.services import human, review_agent, reviews, tasks
from steroids.services.fresh import Spot
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.task import Task
from steroids.wire.verdict import Decision, Judge, Verdict
from tests.support.service import Bench

APPROVE = Verdict(decision=Decision.APPROVE)
REJECT = Verdict(decision=Decision.REJECT, reasons=["no tests", "no docs"], files=["a"])
DISPUTE = Verdict(decision=Decision.DISPUTE, reasons=["cannot be done"])
NO = Judge(reason="Not like this.\n  And: indent it.")


def configure(project: Bench, **settings: object) -> None:
    raw = msgspec.json.encode(settings)
    (project.host.path / "config.yaml").write_bytes(raw)


def agents(*names: str) -> dict[str, object]:
    return {name: {"use": "command", "argv": ["true"]} for name in names}


@dataclass
class Agents:
    """Answers in place of the agents; what is asked of them runs in no container here."""

    says: dict[str, Verdict | SteroidsError | Callable[[], Verdict]]
    asked: list[str]


@pytest.fixture
def bots(monkeypatch: pytest.MonkeyPatch) -> Agents:
    made = Agents({}, [])

    def ask(
        host: Host, project: OpenProject, task: db.Task, spot: Spot, name: str
    ) -> tuple[Verdict, float]:
        made.asked.append(name)
        said = made.says[name]
        if isinstance(said, SteroidsError):
            raise said
        verdict = said if isinstance(said, Verdict) else said()
        if not spot.wanted():
            # As `oneshot.run` does while it waits.
            raise Unwanted("nobody waits any more")
        return verdict, 1.0

    monkeypatch.setattr(review_agent, "ask", ask)
    return made


def submitted(project: Bench, title: str = "Login", number: int = 1) -> Task:
    """A task whose attempt was handed in and is in review."""
    if number == 1:
        project.task(title, "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None and assignment.task is not None
    assert (assignment.task.title, assignment.task.attempt) == (title, number)
    name = f"apps/api/{title}"
    project.submit(runner, assignment, project.work(assignment, title, {name: f"{number}\n"}))
    return tasks.one(project.project, assignment.task.id)


def review(project: Bench, task: Task) -> Task:
    reviews.review(project.host, project.project, task.id, "fake")
    return project.look(task)


def verdicts(project: Bench, task: Task) -> list[tuple[int, str, str, str | None]]:
    with project.project.store.read() as session:
        query = select(db.Verdict).where(db.Verdict.task_id == task.id)
        rows = session.exec(query.order_by(col(db.Verdict.id))).all()
    return [(row.attempt, row.reviewer, row.decision, row.actor) for row in rows]


def events(project: Bench, *kinds: EventKind) -> list[db.Event]:
    with project.project.store.read() as session:
        query = select(db.Event).where(col(db.Event.kind).in_(kinds))
        return list(session.exec(query.order_by(col(db.Event.seq))))


def approve(project: Bench, task: Task, reason: str | None = None) -> Task:
    return human.approve(project.host, project.project, task.id, Judge(reason=reason))


def reject(project: Bench, task: Task, body: Judge = NO) -> Task:
    return human.reject(project.host, project.project, task.id, body)


def stored(project: Bench, task: Task) -> db.Task:
    with project.project.store.read() as session:
        return session.get_one(db.Task, task.id)


@pytest.fixture
def api(project: Bench) -> Bench:
    """With one section, and a user who has a name."""
    project.repo.git("config", "user.name", "Uma User")
    project.section("API")
    return project
