"""Verdicts as they are kept: a row each, bound to the attempt and to the commit looked at."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.setting_groups import CHECKS
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.verdict import Decision, Verdict


def reviewers(section: db.Section, settings: Settings) -> list[str]:
    """All that must approve what is done there, in their order; none: it is approved as it is."""
    return [name for name in settings.reviewers() if name != CHECKS or section.check_commands]


def keep(
    session: Session,
    task: db.Task,
    reviewer: str,
    verdict: Verdict,
    *,
    tip: str,
    actor: str | None = None,
    duration_s: float = 0,
) -> None:
    """Write it down, in the transaction that does what it says."""
    session.add(
        db.Verdict(
            task_id=task.id,
            attempt=task.current_attempt,
            tip=tip,
            reviewer=reviewer,
            decision=verdict.decision,
            reasons=verdict.reasons,
            files=verdict.files,
            actor=actor,
            duration_s=duration_s,
        )
    )


def approvals(session: Session, task: db.Task) -> dict[str, str]:
    """Who has approved the tip of the current attempt: reviewers, each with who it was.

    Of several verdicts of one reviewer the newest counts.
    """
    query = select(db.Verdict).where(
        db.Verdict.task_id == task.id,
        db.Verdict.attempt == task.current_attempt,
        db.Verdict.tip == task.latest_commit,
    )
    newest = {row.reviewer: row for row in session.exec(query.order_by(col(db.Verdict.id)))}
    return {
        name: row.actor or name for name, row in newest.items() if row.decision == Decision.APPROVE
    }


def words(reasons: Sequence[str], files: Sequence[str] = ()) -> str:
    """Reasons as one text, each word for word."""
    text = reasons[0] if len(reasons) == 1 else "\n".join(f"- {each}" for each in reasons)
    return f"{text}\nfiles: {', '.join(files)}" if files else text
