"""What a claim would answer now, task by task. Claims nothing, writes nothing."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from steroids.errors import Busy
from steroids.scheduling.pick import Grant, pick
from steroids.services import (
    claiming,
    claims,
    grants,
    project_changes,
    registration,
    sections,
    task_order,
)
from steroids.services.claiming import Claims, Round
from steroids.services.clock import steady_now
from steroids.services.host import Host, OpenProject
from steroids.services.prospects import FOR_A_PERSON
from steroids.store import project_models as db
from steroids.wire.next import Next, Passed
from steroids.wire.task import TaskStatus as S

MOST = 200
"""So many tasks are listed; the others are counted."""

_AT_WORK = {
    S.IN_PROGRESS: "is being worked on",
    S.REVIEW: "is being reviewed",
    S.APPROVED: "is about to land",
    S.FAILED: "failed: steroids tasks retry {id}",
    S.DISPUTED: "is disputed: steroids tasks dispute resolve {id} --approve|--retry|--skip",
}
_ROWS = (
    select(
        *claiming.TASK,
        col(db.Task.status),
        col(db.Task.awaits),
        FOR_A_PERSON.label("for_a_person"),
        col(db.Attempt.status).label("attempt_status"),
    )
    .outerjoin(db.Attempt, grants.IS_CURRENT)
    .where(col(db.Task.status).not_in([S.COMPLETED, S.SKIPPED]), col(db.Task.removed_at).is_(None))
    .order_by(col(db.Task.priority), col(db.Task.position))
)


def upcoming(host: Host, project: OpenProject, word: str | None) -> Next:
    """For a runner of that section (none: one for all of them) that would start now.

    Raises `NotFound`, `Ambiguous`.
    """
    settings = host.settings(project)
    now = steady_now()
    with project.store.read() as session:
        section = sections.named(session, word) if word is not None else None
        queue = claims.queue(host, project, sections.views(session), now)
        # Only that there is a commit to start from counts here.
        base = project.known.tip or project.target
        round_ = claiming.look(session, Claims(settings.runners, now, base, queue))
        own = [section.id] if section else [each.id for each in round_.rules.in_order()]
        found, more = _look(round_, own)
    refused = _refused(host, project, section, settings.runners.max_parallel)
    picked = found.pop() if found and found[-1].picked else None
    return Next(picked=picked, passed=found, more=more, refused=refused)


def _refused(
    host: Host, project: OpenProject, section: db.Section | None, limit: int
) -> str | None:
    """Why none could be started now."""
    try:
        project_changes.refuse_disabled(host, project)
        if section is not None:
            registration.refuse_skipped(section)
        registration.refuse(host, project, section, limit)
    except Busy as error:
        return error.message.partition(": ")[2]
    return None


def _look(round_: Round, own: Iterable[str]) -> tuple[list[Passed], int]:
    """In the order of a claim, up to the one that it picks; and how many more there are."""
    found: list[Passed] = []
    more, picked = 0, False
    for section_id in own:
        rows = round_.session.execute(_ROWS.where(col(db.Task.section_id) == section_id))
        for row in rows.mappings():
            if picked or len(found) >= MOST:
                more += 1
                continue
            each = _passed(round_, row)
            picked = each.picked
            found.append(each)
    return found, more


def _passed(round_: Round, row: Any) -> Passed:
    reason = _reason(round_, row)
    status = S(row["status"])
    # What was interrupted goes on.
    fresh = status in (S.PENDING, S.BLOCKED) and row["attempt_status"] != "interrupted"
    return Passed(
        id=row["id"],
        title=row["title"],
        section=round_.rules.sections[row["section_id"]].name,
        section_id=row["section_id"],
        status=status,
        attempt=row["current_attempt"] + fresh,
        picked=reason is None,
        reason=reason,
    )


def _reason(round_: Round, row: Any) -> str | None:
    """Why it would not be picked; none: it would."""
    status, short = S(row["status"]), row["id"][:8]
    if status is S.BLOCKED:
        return f"waits for {_before(round_.session, row['id'])}"
    if row["for_a_person"]:
        if status is S.REVIEW:
            return f"waits for a person's review: steroids tasks diff {short}"
        return "the remote refused it: steroids push"
    if status is not S.PENDING:
        return _AT_WORK[status].format(id=short)
    section = round_.rules.sections[row["section_id"]]
    if section.skipped:
        return f"section {section.name} is skipped: steroids sections unskip '{section.name}'"
    task = claiming.view(row)
    decision = pick([section.id], lambda _: [task], round_.rules, round_.board, round_.turns)
    if isinstance(decision, Grant):
        return None
    return f"waits for {claiming.explain(round_, decision)}"


def _before(session: Session, task_id: str) -> str:
    row = session.get_one(db.Task, task_id)
    return task_order.words(task_order.waiting(session, [row])[task_id]) or "what comes before it"
