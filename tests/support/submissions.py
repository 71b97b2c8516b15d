"""What tests of taking commits in have in common."""

from sqlmodel import col, select

from steroids.services import commits, verdicts
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment, Outcome
from steroids.wire.event import EventKind
from steroids.wire.task import Task
from tests.support.service import Bench


def configure(project: Bench, text: str) -> None:
    (project.host.path / "config.yaml").write_text(text)


def begun(project: Bench, section: str = "API") -> Assignment:
    assignment = project.claim(project.runner(section))
    assert assignment is not None and assignment.checkout is not None
    return assignment


def rejected(project: Bench, *subjects: str) -> tuple[Task, str]:
    """A task whose first attempt made these commits, a file each, and failed; and its tip."""
    task = project.task("One", "API")
    first = begun(project)
    tip = project.work(first, subjects[0], {f"apps/API/{subjects[0]}": "1\n"})
    for subject in subjects[1:]:
        tip = project.agent.commit(subject, {f"apps/API/{subject}": "1\n"})
    project.submit(project.runner("API"), first, tip, outcome=Outcome.FAILED, reason="not yet")
    return task, tip


def at_start(project: Bench, assignment: Assignment) -> None:
    """The agent's repository, as it is checked out for the assignment."""
    assert assignment.checkout is not None
    project.agent.git("fetch", "--quiet", str(project.project.mirror.path), "+refs/*:refs/mirror/*")
    project.agent.git("checkout", "--quiet", "--detach", assignment.checkout.commit)


def listed(project: Bench, task: Task) -> list[tuple[int, str]]:
    return [
        (each.attempt, each.message.strip()) for each in commits.listing(project.project, task.id)
    ]


def attempts(project: Bench, task: Task) -> list[db.Attempt]:
    with project.project.store.read() as session:
        query = select(db.Attempt).where(db.Attempt.task_id == task.id)
        return list(session.exec(query.order_by(col(db.Attempt.number))))


def notices(project: Bench) -> list[str]:
    with project.project.store.read() as session:
        return [
            each.text for each in session.exec(select(db.Event)) if each.kind == EventKind.NOTICE
        ]


def lose(project: Bench, task: Task) -> None:
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        settings = project.host.settings(project.project)
        settings.max_attempts_lost = 1_000
        verdicts.lost(session, row, "gone", section="API", settings=settings)


def check_agreement(project: Bench, task: Task) -> None:
    """Refs and rows say the same, and no commit that was ever registered can get lost."""
    mirror = project.project.mirror
    refs = mirror.refs()
    rows = attempts(project, task)
    for row in rows:
        if row.tip is not None:
            assert refs.get(commits.attempt_ref(task.id, row.number)) == row.tip
    tips = [row.tip for row in rows if row.tip is not None]
    now = project.look(task)
    assert now.latest_commit == (tips[-1] if tips else now.base_commit)
    kept = set(mirror.git("rev-list", "--all").out.splitlines())
    assert {each.hash for each in commits.listing(project.project, task.id)} <= kept
    assert not [ref for ref in refs if "/incoming/" in ref]
