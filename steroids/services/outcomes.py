"""What becomes of a task whose run has come to an end."""

from collections.abc import Sequence

from sqlmodel import Session, select

from steroids.git.command import readable
from steroids.services import rerouting, verdicts
from steroids.services.bounds import outside
from steroids.services.delivery import Delivery, outside_of
from steroids.services.events import record
from steroids.services.transitions import move
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome, Submission
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus

MOST_OUTSIDE = 1_000
"""How many names of files outside the section are kept."""


def conclude(
    session: Session,
    task: db.Task,
    section: db.Section,
    body: Submission,
    actor: str,
    settings: Settings,
    found: Delivery,
) -> None:
    """Move the task on, in the transaction that takes its commits in."""
    reason = (body.reason or "no reason given")[:20_000]
    match body.outcome:
        case Outcome.DONE:
            _done(session, task, section, actor, settings, found)
        case Outcome.FAILED:
            verdicts.reject(
                session, task, reason, section=section.name, actor=actor, settings=settings
            )
        case Outcome.UNUSABLE:
            verdicts.fail(session, task, reason, section=section.name, actor=actor)
        case Outcome.STOPPED:
            verdicts.give_back(session, task, reason, section=section.name, actor=actor)


def _done(
    session: Session,
    task: db.Task,
    section: db.Section,
    actor: str,
    settings: Settings,
    found: Delivery,
) -> None:
    """To review, unless the commits themselves say that there is nothing to be reviewed."""
    # What an attempt puts back is not held against it, and what an earlier one left is.
    beyond = outside(section.paths, found.whole)
    wrong = _nested(found.nested) if found.nested else None
    if beyond and wrong is None and settings.out_of_section == "reject":
        wrong = (
            f"changed {_files(beyond)} outside its section {section.name} "
            f"({', '.join(section.paths)}): take these changes back"
        )
    if wrong is not None:
        verdicts.reject(session, task, wrong, section=section.name, actor=actor, settings=settings)
        return
    if beyond and settings.out_of_section == "reroute":
        to = rerouting.find(session, task, found.whole)
        if to is not None:
            files = _files(beyond)
            rerouting.reroute(session, task, section, to, files, actor=actor)
            return
    news = outside_of(section.paths, found)
    if news:
        text = f"changed {_files(news)} outside its section {section.name}"
        about = {"outside": news[:MOST_OUTSIDE]}
        record(session, EventKind.NOTICE, text, section=section.name, task=task, data=about)
    move(session, task, TaskStatus.REVIEW, actor=actor)
    _hold(session, task)


def _nested(folders: Sequence[str]) -> str:
    first = readable(folders[0], 200)
    return (
        f"{first} is a git repository of its own, whose files are in none of the commits: "
        f"remove {first}/.git, run `git rm --cached {first}`, and commit its files"
    )


def _files(paths: Sequence[str]) -> str:
    """How many, and the first of them: `3 files (a, b, c)`."""
    shown = [readable(path, 120) for path in paths[:10]]
    more = [f"and {len(paths) - len(shown)} more"] if len(paths) > len(shown) else []
    plural = "" if len(paths) == 1 else "s"
    return f"{len(paths)} file{plural} ({', '.join([*shown, *more])})"


def _hold(session: Session, task: db.Task) -> None:
    """From here on the controller holds the locks itself, until the task has landed."""
    for lease in session.exec(select(db.Lease).where(db.Lease.task_id == task.id)):
        lease.expires_at = None
        session.add(lease)
