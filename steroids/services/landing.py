"""Putting approved tasks on the target branch, in order of approval.

Several that are approved are put on top of each other, verified together and pushed together;
when their checks fail, halves are tried, the first half first, until the one is found that does
not go with the others (as merge queues do: bors's batches and bisection,
https://bors.tech/documentation/). What is good lands, in its order, whatever its neighbours are.

Safe to be killed at any point: what is about to be pushed is written down before the push, and
the remote is asked before anything is called done. Never `--force`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from sqlmodel import col, select
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_random,
    wait_random_exponential,
)

from steroids.errors import (
    EngineUnavailable,
    PushRefused,
    RemoteUnreachable,
    SteroidsError,
    StoreUnavailable,
)
from steroids.git.mirror import BranchMissing
from steroids.git.network import RemoteRefused
from steroids.git.push import HookDeclined, NonFastForward
from steroids.provisioning.oneshot import Unwanted
from steroids.services import (
    landing_batch,
    landing_branch,
    landing_complete,
    landing_push,
    landing_refusal,
    landing_verify,
    target,
)
from steroids.services.host import Host, OpenProject
from steroids.services.landing_batch import Changed, Course
from steroids.services.landing_push import Moved
from steroids.services.landing_verify import Failed
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

RACES = (NonFastForward, Moved, Changed)
"""Somebody else was faster, time and again."""
TOGETHER = 2
"""How many races several tasks may lose before they are tried in halves."""
LATER = (RemoteUnreachable, EngineUnavailable, StoreUnavailable, *RACES)
"""What may be otherwise in a while; the tasks stay approved."""


def queue(project: OpenProject) -> list[str]:
    """Ids of the tasks to land, the first approved first."""
    with project.store.read() as session:
        query = (
            select(db.Task.id)
            .where(db.Task.status == TaskStatus.APPROVED, col(db.Task.push_refused).is_(False))
            .order_by(col(db.Task.approved_at))
        )
        return list(session.exec(query))


def land(host: Host, project: OpenProject, task_id: str, engine: str) -> None:
    """Land one approved task by itself; see `land_all`."""
    land_all(host, project, [task_id], lambda _: engine)


def land_all(
    host: Host,
    project: OpenProject,
    task_ids: Sequence[str],
    engine_of: Callable[[str], str],
) -> None:
    """Land these tasks, in this order; `engine_of` says where a task's checks run.

    Afterwards each is completed, sent back, refused, or still approved: left for the next call,
    since others that it conflicts with had to land first. Calling it again for tasks that a
    crashed controller was landing finishes that. To be called by one thread of a project at a
    time. Raises one of `LATER`, or what verification broke with, each with the tasks that have
    not landed still approved.
    """
    settings = host.settings(project)
    alone = settings.landing.mode == "branch"
    groups = deque([each] for each in task_ids) if alone else deque([[*task_ids]])
    course = Course(engine_of)
    while groups:
        group = groups.popleft()
        try:
            failed = _rounds(host, project, group, settings, course)
        except HookDeclined as error:
            # Perhaps because of one commit: each is asked for by itself.
            if len(group) > 1:
                groups.extendleft([each] for each in reversed(group))
            else:
                landing_refusal.refused(host, project, group, error)
            continue
        except (PushRefused, RemoteRefused, BranchMissing) as error:
            # Of the branch or of the credentials: the same for all.
            everyone = [*group, *(each for later in groups for each in later)]
            landing_refusal.refused(host, project, everyone, error)
            return
        except RACES:
            # Fewer are put together and pushed before somebody else has pushed again.
            if len(group) == 1 or course.checked:
                raise
            groups.extendleft(reversed(_halves(group)))
            continue
        except LATER:
            raise
        except SteroidsError as error:
            if len(group) == 1:
                landing_refusal.broke(host, project, group[0], error)
                raise
            groups.extendleft(reversed(_halves(group)))
            continue
        if failed is None:
            continue
        found = [step.task.id for step in failed.batch.steps]
        if len(found) == 1:
            landing_verify.reject(host, project, failed, settings)
        else:
            groups.extendleft(reversed(_halves(found)))


def _halves(group: list[str]) -> list[list[str]]:
    middle = (len(group) + 1) // 2
    return [group[:middle], group[middle:]]


def _rounds(
    host: Host,
    project: OpenProject,
    group: Sequence[str],
    settings: Settings,
    course: Course,
) -> Failed | None:
    """Until the group has landed or cannot: when the branch moved, anew; when the line is bad,
    after a wait. None unless its checks failed."""
    course.checked = 0
    rounds = Retrying(
        retry=retry_if_exception_type((RemoteUnreachable, *RACES)),
        wait=_pause_s,
        stop=partial(_enough, group, settings, course),
        reraise=True,
    )
    for round_ in rounds:
        with round_:
            first = round_.retry_state.attempt_number == 1
            return _round(host, project, group, settings, course, first=first)
    raise AssertionError("tenacity ends with a result or an exception")


def _enough(
    group: Sequence[str], settings: Settings, course: Course, state: RetryCallState
) -> bool:
    """Whether to give up. What had to be checked together is not taken apart for a lost race."""
    error = state.outcome.exception() if state.outcome is not None else None
    raced = isinstance(error, RACES) and len(group) > 1 and not course.checked
    return state.attempt_number >= (TOGETHER if raced else settings.push.attempts)


_WHEN_LOST = wait_random(0, 0.2)
_WHEN_DOWN = wait_random_exponential(multiplier=0.2, max=20)


def _pause_s(state: RetryCallState) -> float:
    """Who loses a race does not win the next one by waiting; a line that is down wants time."""
    lost = state.outcome is not None and not isinstance(
        state.outcome.exception(), RemoteUnreachable
    )
    return (_WHEN_LOST if lost else _WHEN_DOWN)(state)


def _round(
    host: Host,
    project: OpenProject,
    group: Sequence[str],
    settings: Settings,
    course: Course,
    *,
    first: bool,
) -> Failed | None:
    where = target.destination(project)
    tip = target.fetch(project, where.url, moved=not first)
    landing_complete.settle(host, project, group, tip, where)
    batch = landing_batch.compose(host, project, group, tip, settings, course)
    if not batch.steps:
        return None
    try:
        failed = landing_verify.verify(host, project, batch, settings, course)
    except Unwanted as error:
        raise Changed(error.message) from None
    if failed is not None:
        return failed
    if settings.landing.mode == "branch" and batch.steps[0].lands:
        (step,) = batch.steps
        where = landing_branch.choose(project, step.task, step.tip, where)
    landing_push.put(host, project, batch, where)
    return None
