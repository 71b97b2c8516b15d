"""A person's word on a task: the reviewer `human`, and whoever overrides the others."""

import getpass

from sqlmodel import Session

from steroids.errors import UsageError, WrongState
from steroids.git import repository
from steroids.services import commits, judging, tasks, verdicts
from steroids.services.concluding import conclude
from steroids.services.host import Host, OpenProject
from steroids.services.withdrawing import withdrawing
from steroids.setting_groups import HUMAN
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.task import Task
from steroids.wire.task import TaskStatus as S
from steroids.wire.verdict import Decision, Judge, Verdict

MAX_REASON_CHARS = 20_000
JUDGED = ("rejected", "disputed", "failed")
"""Ends of an attempt whose commits a person may approve all the same."""


def approve(host: Host, project: OpenProject, word: str, body: Judge) -> Task:
    """The human reviewer's approval, or that of a person who decides in place of all reviewers.

    A task that waits for a person goes on to the next reviewer, or is approved when that was the
    last. In any other case it is approved as a whole: in review (what still runs ends, and is not
    listened to), disputed, and pending or failed with an attempt that was handed in.

    Raises `WrongState` where there is nothing to approve, or not any more.
    """
    settings = host.settings(project)
    who, reason = actor(project), _reason(body)
    with project.store.read() as session:
        seen = tasks.named(session, word)
        tip = seen.latest_commit
    tree = project.mirror.tree_hash(tip) if tip is not None else None
    verdict = Verdict(decision=Decision.APPROVE, reasons=[reason] if reason else [])
    with project.store.write() as session:
        task = session.get_one(db.Task, seen.id)
        _refuse_other(task, body)
        _refuse_approval(session, task)
        if task.latest_commit != tip or tree is None:
            raise _went_on(task)
        if task.status == S.REVIEW and task.awaits is not None:
            conclude(session, task, HUMAN, verdict, tree=tree, settings=settings, actor=who)
        else:
            _override(session, task, verdict, tree=tree, who=who)
        session.flush()
        approved = tasks.shown(session, task)
    host.changed()
    return approved


def reject(host: Host, project: OpenProject, word: str, body: Judge) -> Task:
    """Back to the coder, who is told the reason word for word; counted as any rejection.

    For a task in review, and for an approved one as long as its commits are not on their way.
    Raises `UsageError` without a reason, `WrongState`, and `Busy` while it lands.
    """
    settings = host.settings(project)
    who, reason = actor(project), _reason(body)
    if not reason:
        raise UsageError(
            "A rejection needs a reason, which is what the next attempt goes by",
            hint=f"steroids tasks reject {word} --reason TEXT",
        )
    while True:
        with project.store.read() as session:
            seen = tasks.named(session, word)
        with withdrawing(host, project, seen.id), project.store.write() as session:
            task = session.get_one(db.Task, seen.id)
            if task.status == S.APPROVED and seen.status != S.APPROVED:
                # Between the two looks: whether its commits are on their way is not known.
                continue
            _refuse_other(task, body)
            _refuse_rejection(task)
            _reject(session, task, reason, who=who, settings=settings)
            session.flush()
            rejected = tasks.shown(session, task)
        host.changed()
        return rejected


def actor(project: OpenProject) -> str:
    """Who that is: the name that commits are made with there, or else the login."""
    name, _ = repository.identity(project.path)
    return name or getpass.getuser()


def _override(session: Session, task: db.Task, verdict: Verdict, *, tree: str, who: str) -> None:
    section = session.get_one(db.Section, task.section_id).name
    assert task.latest_commit is not None
    judging.keep(session, task, HUMAN, verdict, tip=task.latest_commit, actor=who)
    verdicts.approve(
        session,
        task,
        section=section,
        actor=who,
        tree=tree,
        overridden=True,
        reason=verdict.reasons[0] if verdict.reasons else None,
    )


def _reject(session: Session, task: db.Task, reason: str, *, who: str, settings: Settings) -> None:
    section = session.get_one(db.Section, task.section_id).name
    assert task.latest_commit is not None
    verdict = Verdict(decision=Decision.REJECT, reasons=[reason])
    judging.keep(session, task, HUMAN, verdict, tip=task.latest_commit, actor=who)
    verdicts.reject(
        session,
        task,
        reason,
        section=section,
        actor=who,
        settings=settings,
        reviewer=HUMAN,
    )


def _reason(body: Judge) -> str:
    reason = (body.reason or "").replace("\0", "").strip()
    if len(reason) > MAX_REASON_CHARS:
        raise UsageError(
            f"The reason has over {MAX_REASON_CHARS} characters", hint="make it shorter"
        )
    return reason


def _refuse_other(task: db.Task, body: Judge) -> None:
    """Somebody who names the attempt does not judge another one, which they have not seen."""
    if body.attempt is not None and body.attempt != task.current_attempt:
        raise _went_on(task)


def _went_on(task: db.Task) -> WrongState:
    return WrongState(
        f"'{task.title}' has gone on meanwhile: it is {task.status}, attempt "
        f"{task.current_attempt}",
        hint=f"steroids tasks diff {task.id[:8]}",
    )


def _refuse_approval(session: Session, task: db.Task) -> None:
    short, status = task.id[:8], S(task.status)
    if status in (S.APPROVED, S.COMPLETED):
        raise WrongState(f"'{task.title}' is {status} already", hint=f"steroids tasks show {short}")
    if status is S.IN_PROGRESS:
        raise WrongState(
            f"'{task.title}' is being worked on: there is nothing yet to approve",
            hint=f"steroids tasks show {short}",
        )
    if status not in (S.REVIEW, S.DISPUTED, S.PENDING, S.FAILED):
        raise WrongState(
            f"'{task.title}' is {status}: it cannot be approved",
            hint=f"steroids tasks retry {short}",
        )
    attempt = commits.current_attempt(session, task)
    if attempt is None or attempt.tip is None:
        raise WrongState(
            f"'{task.title}' has no attempt that was handed in: there is nothing to approve",
            hint="steroids up",
        )
    if status is S.REVIEW:
        return
    again = "steroids up" if status is S.PENDING else f"steroids tasks retry {short}"
    if attempt.status not in (*JUDGED, "conflict"):
        raise WrongState(
            f"Attempt {attempt.number} of '{task.title}' has not been handed in", hint=again
        )
    if attempt.status == "conflict" or attempt.tip != task.latest_commit:
        raise WrongState(
            f"The commits of '{task.title}' do not go with the target as it is: another attempt "
            "has to bring them in",
            hint=again,
        )


def _refuse_rejection(task: db.Task) -> None:
    short, status = task.id[:8], S(task.status)
    hints = {
        S.IN_PROGRESS: f"steroids tasks show {short}",
        S.COMPLETED: f"steroids tasks revert {short}",
        S.DISPUTED: f"steroids tasks dispute resolve {short} --retry --reason TEXT",
        S.FAILED: f"steroids tasks retry {short}",
        S.SKIPPED: f"steroids tasks retry {short}",
    }
    if status not in (S.REVIEW, S.APPROVED):
        raise WrongState(
            f"'{task.title}' is {status}: there is nothing to reject",
            hint=hints.get(status, f"steroids tasks show {short}"),
        )
