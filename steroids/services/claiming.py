"""The transaction of a claim: picking tasks for runners that ask, and granting their locks.

Reads what it needs in a few queries, decides with the pure functions of `scheduling`, and writes
the outcome for all who asked, whatever their number. It uses statements and not objects, since
every runner waits for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import and_, select
from sqlmodel import Session, col

from steroids.scheduling.locks import Board, Held, Lock
from steroids.scheduling.pick import Grant, Turn, Wait, pick
from steroids.scheduling.rules import Rules, TaskView
from steroids.services import claiming_once, demand, grants
from steroids.services.asking import Answer, Asking
from steroids.services.prospects import FOR_A_PERSON, Prospects, prospects
from steroids.setting_groups import Runners
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

PAGE = 50
"""How many tasks of a section are looked at together, when the first ones cannot be had."""


@dataclass(frozen=True)
class Claims:
    """What a round of claims goes by.

    `base` is the commit that new tasks start from; none: no new task can be given out now.
    `queue` are the sections whose runners wait and go first, the longest first.
    """

    settings: Runners
    now: datetime
    base: str | None = None
    queue: Sequence[str] = ()


@dataclass
class Round:
    """What is true while the transaction lasts, and what has been granted in it."""

    session: Session
    claims: Claims
    rules: Rules
    heads: Mapping[str, Any]
    board: Board = field(default_factory=Board)
    mine: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Runner ids, each with the task in progress that it has, and the fence."""
    titles: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Ids of tasks that hold locks, each with title and section id."""
    for_a_person: set[str] = field(default_factory=set)
    """Those of them that hold them until a person has looked."""
    turns: list[Turn] = field(default_factory=list)
    granted: list[grants.Granted] = field(default_factory=list)


def look(session: Session, claims: Claims) -> Round:
    """All that a round of claims has to know; to be called in a transaction that writes."""
    rules = demand.rules_of(session, claims.settings)
    heads = _heads(session, rules.sections) if claims.base else {}
    round_ = Round(session, claims, rules, heads)
    _read_leases(round_)
    round_.turns += _turns(round_)
    return round_


def _turns(round_: Round) -> Iterator[Turn]:
    """Of those that wait, but not for what nobody here can hurry: their turn would hold up those
    they wait for, or everybody until a person comes."""
    for section_id in round_.claims.queue:
        section, head = round_.rules.sections.get(section_id), round_.heads.get(section_id)
        if section is None or head is None or section.skipped:
            continue
        turn = Turn(section_id, round_.rules.locks_of(view(head)))
        behind = {held.task_id for held in round_.board.blockers(turn.locks)}
        if not behind & round_.for_a_person and not round_.rules.blocked_by(section_id):
            yield turn


def answer(round_: Round, asking: Sequence[Asking]) -> list[Answer]:
    """Answer all of them, in their order, and write down what they get; once per round, in the
    transaction that looked."""
    claims = round_.claims
    ahead = _prospects(round_, asking)
    answers = [_answer(round_, each, ahead) for each in asking]
    if round_.granted:
        assert claims.base is not None
        expires_at = claims.now + timedelta(seconds=claims.settings.heartbeat_timeout_s)
        grants.write(round_.session, round_.granted, base=claims.base, expires_at=expires_at)
        fences = {each.runner_id: (each.task["id"], each.fence) for each in round_.granted}
        answers = [
            Answer(*fences[ask.runner_id]) if ask.runner_id in fences else found
            for ask, found in zip(asking, answers, strict=True)
        ]
    return answers


def _prospects(round_: Round, asking: Sequence[Asking]) -> Prospects:
    """Somebody works in the sections that are asked for; one without a section, in all of them."""
    own = {each.section_id for each in asking}
    if None in own:
        return Prospects(round_.session, round_.rules, None)
    return prospects(round_.session, round_.rules, [each for each in own if each])


def _answer(round_: Round, asking: Asking, ahead: Prospects) -> Answer:
    if asking.runner_id in round_.mine:
        return Answer(*round_.mine[asking.runner_id])
    if asking.once:
        had = claiming_once.task_of(round_.session, asking.runner_id)
        if had is not None:
            return _answer_again(round_, asking, ahead, had)
    own = [asking.section_id] if asking.section_id else [s.id for s in round_.rules.in_order()]
    decision = pick(own, partial(_tasks_of, round_), round_.rules, round_.board, round_.turns)
    if isinstance(decision, Grant):
        _take(round_, asking.runner_id, decision)
        return Answer(decision.task.id)
    left = any(map(ahead.work_left, own))
    waits_for = explain(round_, decision)
    if decision is None and left:
        before = next(filter(None, map(ahead.waits_for, own)), None)
        waits_for = f"{before} to be completed" if before else None
    return Answer(waits_for=waits_for, left=left)


def _answer_again(round_: Round, asking: Asking, ahead: Prospects, had: str) -> Answer:
    """Of a runner for one task that has had it: that one when it comes back, and no other."""
    its = claiming_once.state_of(round_.session, had)
    if asking.section_id not in (None, its.section_id) or its.over:
        return Answer(left=False)
    if not its.pending:
        return Answer(left=its.begun or ahead.work_left(its.section_id))
    if round_.claims.base is None:
        return Answer()
    task = view(_row(round_.session, had))
    decision = pick([its.section_id], lambda _: [task], round_.rules, round_.board, round_.turns)
    if isinstance(decision, Grant):
        _take(round_, asking.runner_id, decision)
        return Answer(had)
    return Answer(waits_for=explain(round_, decision), left=ahead.work_left(its.section_id))


def _take(round_: Round, runner_id: str, grant: Grant) -> None:
    head = round_.heads[grant.task.section_id]
    row = head if head["id"] == grant.task.id else _row(round_.session, grant.task.id)
    section = round_.rules.sections[grant.task.section_id]
    round_.granted.append(grants.Granted(runner_id, row, section.name, grant.locks))
    round_.titles[grant.task.id] = (row["title"], section.id)
    round_.mine[runner_id] = (grant.task.id, 0)
    for lock in grant.locks:
        round_.board.add(Held(lock, grant.task.id))


def _tasks_of(round_: Round, section_id: str) -> Iterator[TaskView]:
    """Pending tasks in order: the first is known, the others are read when they are needed."""
    taken = {each.task["id"] for each in round_.granted}
    head = round_.heads.get(section_id)
    if head is None:
        return
    # Also when it was given out in this round: its section is locked then, and nothing further has
    # to be read to find that out.
    yield view(head)
    offset = 1
    while True:
        query = _pending(section_id).offset(offset).limit(PAGE)
        page = round_.session.execute(query).mappings().all()
        yield from (view(row) for row in page if row["id"] not in taken)
        if len(page) < PAGE:
            return
        offset += PAGE


TASK = (
    col(db.Task.id),
    col(db.Task.section_id),
    col(db.Task.title),
    col(db.Task.priority),
    col(db.Task.position),
    col(db.Task.affected_paths),
    col(db.Task.base_commit),
    col(db.Task.latest_commit),
    col(db.Task.squash_commit),
    col(db.Task.current_attempt),
)


def _pending(section_id: Any) -> Any:
    return (
        select(*TASK)
        .where(col(db.Task.section_id) == section_id, col(db.Task.status) == TaskStatus.PENDING)
        .order_by(col(db.Task.priority), col(db.Task.position))
    )


def _first_of_each() -> Any:
    """The first pending task of each section, found through the index and not by sorting."""
    section = db.Section.__table__.alias("s")  # type: ignore[attr-defined]  # SQLModel adds it
    first = (
        _pending(section.c.id).with_only_columns(col(db.Task.id)).limit(1).correlate(section)
    ).scalar_subquery()
    return (
        select(*TASK, *grants.ATTEMPT)
        .select_from(section)
        .join(db.Task, col(db.Task.id) == first)
        .outerjoin(db.Attempt, grants.IS_CURRENT)
    )


# Built once: that takes about as long as running them.
_FIRST_OF_EACH = _first_of_each()
_LEASES = (
    select(
        col(db.Lease.resource),
        col(db.Lease.exclusive),
        col(db.Lease.runner_id),
        col(db.Lease.fence),
        col(db.Task.id),
        col(db.Task.title),
        col(db.Task.section_id),
        col(db.Task.status),
        FOR_A_PERSON,
    )
    .join(db.Task, and_(col(db.Task.id) == col(db.Lease.task_id)))
    .order_by(col(db.Lease.id))
)


def _heads(session: Session, section_ids: Mapping[str, object]) -> dict[str, Any]:
    rows = session.execute(_FIRST_OF_EACH).mappings()
    return {row["section_id"]: row for row in rows if row["section_id"] in section_ids}


def _row(session: Session, task_id: str) -> Any:
    query = select(*TASK, *grants.ATTEMPT).outerjoin(db.Attempt, grants.IS_CURRENT)
    return session.execute(query.where(col(db.Task.id) == task_id)).mappings().one()


def view(row: Any) -> TaskView:
    paths = tuple(row["affected_paths"])
    return TaskView(row["id"], row["section_id"], row["priority"], row["position"], paths)


def _read_leases(round_: Round) -> None:
    for (
        resource,
        exclusive,
        runner_id,
        fence,
        task_id,
        title,
        section_id,
        status,
        for_a_person,
    ) in round_.session.execute(_LEASES):
        round_.board.add(Held(Lock(resource, exclusive), task_id))
        round_.titles[task_id] = (title, section_id)
        if for_a_person:
            round_.for_a_person.add(task_id)
        if status == TaskStatus.IN_PROGRESS:
            round_.mine[runner_id] = (task_id, fence)


def explain(round_: Round, decision: Wait | None) -> str | None:
    sections_ = round_.rules.sections
    if decision is None:
        return None
    if decision.after:
        return f"{', '.join(sections_[each].name for each in decision.after)} to be finished"
    if decision.turn is not None:
        return f"{sections_[decision.turn].name}, which waits longer"
    assert decision.held is not None
    title, section_id = round_.titles[decision.held.task_id]
    name = sections_[section_id].name if section_id in sections_ else "a removed section"
    kind, _, what = decision.held.lock.resource.partition(":")
    over = f" with {kind} {what}" if kind in ("files", "zone") else ""
    return f"{name} to finish '{title}'{over}"
