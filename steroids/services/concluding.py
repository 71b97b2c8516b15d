"""What a verdict does to its task: the first rejection decides, and all have to approve."""

from typing import Any

from sqlmodel import Session

from steroids.services import judging, verdicts
from steroids.services.events import record
from steroids.setting_groups import CHECKS
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus
from steroids.wire.verdict import Decision, Verdict

NOBODY = "nobody: no reviewers"


def conclude(
    session: Session,
    task: db.Task,
    reviewer: str,
    verdict: Verdict,
    *,
    tree: str,
    settings: Settings,
    actor: str | None = None,
    duration_s: float = 0,
) -> None:
    """Keep the verdict on a task in review and do what it says, in the caller's transaction, which
    has made sure that it is about the task as it is now. `tree` is the content of its tip."""
    assert task.latest_commit is not None
    section = session.get_one(db.Section, task.section_id).name
    tip = task.latest_commit
    judging.keep(session, task, reviewer, verdict, tip=tip, actor=actor, duration_s=duration_s)
    reason = judging.words(verdict.reasons, verdict.files) if verdict.reasons else ""
    who = actor or reviewer
    about: dict[str, Any] = {"reviewer": reviewer, "durationS": round(duration_s, 3)}
    match verdict.decision:
        case Decision.REJECT:
            verdicts.reject(
                session,
                task,
                reason,
                section=section,
                actor=who,
                settings=settings,
                reviewer=reviewer,
            )
        case Decision.DISPUTE:
            verdicts.dispute(session, task, reason, section=section, actor=who)
        case Decision.APPROVE:
            if reviewer == CHECKS:
                kind, text = EventKind.CHECKED, f"checks passed  {duration_s:.1f} s"
            else:
                kind, text = EventKind.REVIEWED, f"approved by {who}"
                text += f": {reason}" if reason else ""
            record(session, kind, text, section=section, task=task, data=about)
            task.awaits = None
            session.add(task)
            session.flush()
            approve_if_all_did(session, task, settings, tree=tree)


def approve_if_all_did(session: Session, task: db.Task, settings: Settings, *, tree: str) -> bool:
    """Whether nobody's approval is missing any more."""
    section = session.get_one(db.Section, task.section_id)
    names = judging.reviewers(section, settings)
    given = judging.approvals(session, task)
    if task.status != TaskStatus.REVIEW or any(name not in given for name in names):
        return False
    who = ", ".join(given[name] for name in names)
    verdicts.approve(
        session, task, section=section.name, actor=who or NOBODY, tree=tree if names else None
    )
    return True
