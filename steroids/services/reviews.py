"""Reviewing a submitted attempt: its section's reviewers, one after the other."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from steroids.errors import EngineUnavailable, SteroidsError
from steroids.provisioning.oneshot import Unwanted
from steroids.services import checks, judging, review_agent, verdicts
from steroids.services.concluding import approve_if_all_did, conclude
from steroids.services.events import record
from steroids.services.fresh import Spot
from steroids.services.host import Host, OpenProject
from steroids.setting_groups import CHECKS, HUMAN
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus
from steroids.wire.verdict import Decision, Verdict

TAIL_LINES = 10
"""Of what a review printed that broke."""


class Bug(SteroidsError):
    code, exit_code = "BUG", 70


def waiting(host: Host, project: OpenProject) -> list[str]:
    """Ids of the tasks in review that do not wait for a person."""
    query = select(db.Task.id).where(db.Task.status == TaskStatus.REVIEW)
    if HUMAN in host.settings(project).reviewers():
        # Else it waits for somebody whom nobody asks any more, and goes on.
        query = query.where(col(db.Task.awaits).is_(None))
    with project.store.read() as session:
        return list(session.exec(query))


@dataclass(frozen=True)
class _Turn:
    """Whose verdict is missing on what; none: nobody's."""

    task: db.Task
    section: db.Section
    reviewer: str | None

    @property
    def tip(self) -> str:
        assert self.task.latest_commit is not None
        return self.task.latest_commit

    def stands(self, session: Session) -> db.Task | None:
        """The task, while it is still to be judged as it was when the turn began."""
        now = session.get_one(db.Task, self.task.id)
        same = (now.current_attempt, now.latest_commit) == (self.task.current_attempt, self.tip)
        return now if same and now.status == TaskStatus.REVIEW else None


def review(host: Host, project: OpenProject, task_id: str, engine: str) -> None:
    """Have one task in review judged by all whose turn it is; blocks while they are at it.

    Verdicts given already are not asked for again; calling it again is harmless. Raises
    `EngineUnavailable` with the task unchanged: it is reviewed when the engine is back. What else
    a review breaks with is counted and raised.
    """
    while (turn := _turn(host, project, task_id)) is not None:
        if turn.reviewer is None or turn.reviewer == HUMAN:
            _without_asking(host, project, turn)
            return
        try:
            verdict, duration_s = _ask(host, project, turn, turn.reviewer, engine)
        except Unwanted:
            continue
        except EngineUnavailable:
            raise
        except SteroidsError as error:
            _broke(host, project, turn, error)
            raise
        except Exception as error:
            # A bug of ours must not have the task reviewed for ever; the log has its trace.
            _broke(host, project, turn, Bug(f"a bug in Steroids ({type(error).__name__})"))
            raise
        _take(host, project, turn, turn.reviewer, verdict, duration_s)


def _turn(host: Host, project: OpenProject, task_id: str) -> _Turn | None:
    """Whose turn it is; None: the task is in review no more, or waits for a person."""
    settings = host.settings(project)
    with project.store.read() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
        given = judging.approvals(session, task)
    names = judging.reviewers(section, settings)
    if task.status != TaskStatus.REVIEW or (task.awaits is not None and HUMAN in names):
        return None
    return _Turn(task, section, next((name for name in names if name not in given), None))


def _ask(
    host: Host, project: OpenProject, turn: _Turn, name: str, engine: str
) -> tuple[Verdict, float]:
    task, section = turn.task, turn.section

    def wanted() -> bool:
        with project.store.read() as session:
            return turn.stands(session) is not None

    # Else an attempt's own commit would make the snapshot, and write to the cache of all.
    assert task.base_commit is not None, "what is reviewed has been claimed"
    spot = Spot(section, turn.tip, task.base_commit, engine, task.id, wanted)
    if name != CHECKS:
        return review_agent.ask(host, project, task, spot, name)
    result = checks.run(
        host,
        project,
        section,
        spot.commit,
        engine,
        base=spot.base,
        task_id=task.id,
        wanted=wanted,
    )
    if result.outcome is Outcome.DONE:
        return Verdict(decision=Decision.APPROVE), result.duration_s
    verdict = Verdict(decision=Decision.REJECT, reasons=[checks.failure(result)])
    return verdict, result.duration_s


def _take(
    host: Host, project: OpenProject, turn: _Turn, name: str, verdict: Verdict, duration_s: float
) -> None:
    """Do what the verdict says, unless the task went on meanwhile: then it is about the past."""
    settings = host.settings(project)
    tree = project.mirror.tree_hash(turn.tip)
    with project.store.write() as session:
        task = turn.stands(session)
        if task is None:
            return
        conclude(session, task, name, verdict, tree=tree, settings=settings, duration_s=duration_s)
    host.changed()


def _without_asking(host: Host, project: OpenProject, turn: _Turn) -> None:
    """Approve it when nobody's verdict is missing; or say that a person has to look."""
    settings = host.settings(project)
    tree = project.mirror.tree_hash(turn.tip)
    with project.store.write() as session:
        task = turn.stands(session)
        if task is not None and turn.reviewer is None:
            approve_if_all_did(session, task, settings, tree=tree)
        elif task is not None:
            task.awaits = HUMAN
            session.add(task)
            short = task.id[:8]
            record(
                session,
                EventKind.AWAITS,
                f"waits for your review: steroids tasks diff {short}, "
                f"then steroids tasks approve|reject {short}",
                section=turn.section.name,
                task=task,
                data={"reviewer": HUMAN},
            )
    host.changed()


def _broke(host: Host, project: OpenProject, turn: _Turn, error: SteroidsError) -> None:
    """The review itself failed: no verdict, counted apart from rejections, bounded."""
    settings = host.settings(project)
    with project.store.write() as session:
        task = turn.stands(session)
        if task is None:
            return
        section = turn.section.name
        tail = "\n".join(str(error.details.get("tail", "")).splitlines()[-TAIL_LINES:])
        task.infrastructure_failures += 1
        record(
            session,
            EventKind.NOTICE,
            f"review broke: {error.message}",
            section=section,
            task=task,
            data={"tail": tail},
        )
        if task.infrastructure_failures >= settings.max_attempts_lost:
            count = (
                "once"
                if task.infrastructure_failures == 1
                else (f"{task.infrastructure_failures} times")
            )
            reason = f"its review broke {count}: {error.message}\n{tail}".rstrip()
            verdicts.fail(session, task, reason, section=section, actor="reconcile")
        session.add(task)
    host.changed()
