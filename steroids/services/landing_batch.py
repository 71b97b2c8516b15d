"""Several approved tasks, one on top of the other, as they are to be on the branch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from steroids.errors import SteroidsError
from steroids.git.land import Conflict, replay
from steroids.provisioning.oneshot import Unwanted
from steroids.services import clashes, landing_conflict, relocking
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.signature import COMMITTER, TRAILER
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus


@dataclass(frozen=True)
class Step:
    """One task's part of a batch."""

    task: db.Task
    """As it was when it was put together."""
    section: db.Section
    onto: str
    tip: str
    """`onto` when the task had nothing (more) to land."""
    landed: dict[str, str | None]
    """Per commit of the task what became of it; none: it had nothing (more) to change."""
    merged: bool = False
    """Both sides changed a manifest, or a lockfile was written again: text that merges is no
    promise there."""

    @property
    def lands(self) -> bool:
        return self.tip != self.onto


@dataclass(frozen=True)
class Batch:
    onto: str
    """The target's tip."""
    steps: list[Step]

    @property
    def tip(self) -> str:
        return self.steps[-1].tip if self.steps else self.onto


@dataclass
class Course:
    """What one call of `land` has seen and said so far, over all its rounds."""

    engine_of: Callable[[str], str]
    """Address of the engine that checks of a task (by id) run on."""
    verified: set[tuple[str, str]] = field(default_factory=set)
    """Trees, with the sections (ids) whose checks passed there."""
    checked: int = 0
    """How often checks ran since something landed."""
    concerned: dict[str, bool] = field(default_factory=dict)
    """Tasks (ids), and whether they touch what git merges and people would not."""
    named: set[tuple[str, ...]] = field(default_factory=set)
    """Notices given."""


def compose(
    host: Host,
    project: OpenProject,
    task_ids: Sequence[str],
    tip: str,
    settings: Settings,
    course: Course,
) -> Batch:
    """Put those of the tasks that are still to be landed on top of each other, onto `tip`.

    One that conflicts with `tip` itself is sent back. One that conflicts only with others of the
    batch is left out: when those have landed its turn comes again, and they are named then.
    Nothing is written down yet. Raises `Changed` when one was taken away meanwhile, and what
    writing a lockfile again raises from the engine.
    """
    batch = Batch(tip, [])
    for task_id in task_ids:
        loaded = load(project, task_id)
        if loaded is None:
            continue
        task, section = loaded
        found = _on_top(host, project, task, section, batch.tip, settings, course)
        if isinstance(found, Step):
            batch.steps.append(found)
        elif batch.tip == tip:
            landing_conflict.send_back(host, project, task_id, found, settings)
        else:
            plain = _on_top(host, project, task, section, tip, settings, course)
            if not isinstance(plain, Step):
                landing_conflict.send_back(host, project, task_id, plain, settings)
    return batch


def load(project: OpenProject, task_id: str) -> tuple[db.Task, db.Section] | None:
    """The task and its section; None when it is not, or no longer, to be landed."""
    with project.store.read() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
    return (task, section) if task.status == TaskStatus.APPROVED else None


def _on_top(
    host: Host,
    project: OpenProject,
    task: db.Task,
    section: db.Section,
    onto: str,
    settings: Settings,
    course: Course,
) -> Step | Conflict | str:
    """The task's commits onto `onto`; or a conflict, or words for one that git does not see."""
    base, tip = task.base_commit, task.latest_commit
    assert base and tip and task.approved_at
    mirror = project.mirror
    replayed = replay(
        mirror,
        base=base,
        tip=tip,
        onto=onto,
        trailer=(TRAILER, task.id),
        committer=COMMITTER,
        at=task.approved_at,
        how=settings.landing.merge,
        message=task.title,
        regenerated=relocking.REGENERATED,
    )
    if isinstance(replayed, Conflict):
        return replayed
    plain = Step(task, section, onto, replayed.tip, replayed.landed)
    if not plain.lands or onto == base:
        return plain
    if task.id not in course.concerned:
        course.concerned[task.id] = clashes.concerns(mirror, base, tip)
    if not course.concerned[task.id] and not replayed.stale:
        return plain
    words = clashes.clash(mirror, base, tip, onto)
    if words is not None:
        return words
    shared = clashes.shared_manifests(mirror, base, tip, onto)
    _name(host, project, task, section, shared, course)
    if replayed.stale:
        engine = course.engine_of(task.id)
        try:
            again = relocking.relock(
                host, project, section, replayed.tip, replayed.stale, engine, task_id=task.id
            )
        except relocking.RelockFailed as error:
            return error.message
        except Unwanted as error:
            raise Changed(error.message) from None
        return replace(plain, tip=again, merged=True)
    return replace(plain, merged=bool(shared))


def _name(
    host: Host,
    project: OpenProject,
    task: db.Task,
    section: db.Section,
    shared: Sequence[str],
    course: Course,
) -> None:
    """Tell of manifests that both sides changed, once."""
    said = (task.id, *shared)
    if not shared or said in course.named:
        return
    course.named.add(said)
    text = f"{', '.join(shared)} changed on {project.target} too; its checks run on both together"
    say(
        host,
        project,
        EventKind.NOTICE,
        text,
        section=section.name,
        task=task,
        data={"files": list(shared)},
    )


def is_same(row: db.Task, seen: db.Task) -> bool:
    """Whether a task is still approved, and with what it was approved with when it was seen."""
    return row.status == TaskStatus.APPROVED and (row.latest_commit, row.approved_at) == (
        seen.latest_commit,
        seen.approved_at,
    )


def stands(project: OpenProject, batch: Batch) -> bool:
    """Whether all of its tasks are still to be landed as they were when it was put together."""
    with project.store.read() as session:
        rows = [session.get_one(db.Task, step.task.id) for step in batch.steps]
    return all(is_same(row, step.task) for row, step in zip(rows, batch.steps, strict=True))


class Changed(SteroidsError):
    """A task of the batch was taken away while its checks ran; to be put together anew."""

    code, exit_code, http_status = "BATCH_CHANGED", 6, 409
