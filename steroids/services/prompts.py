"""What agents are told, rendered from the templates in `steroids/prompts/`."""

import functools
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlmodel import col, select

import steroids
from steroids.errors import WrongState
from steroids.git.patch import read_patch
from steroids.services import agents, history, retelling, siblings, tasks
from steroids.services.host import Host, OpenProject
from steroids.services.quoting import fenced, visible
from steroids.services.yardsticks import yardsticks
from steroids.setting_groups import CHECKS, HUMAN
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.history import Past, approvers
from steroids.wire.task import TaskStatus

TEMPLATES = Path(steroids.__file__).parent / "prompts"
MAX_DIFF_BYTES = 100_000
MAX_FILES = 200


def coder(project: OpenProject, task: db.Task, section: db.Section, settings: Settings) -> str:
    """For the attempt that is being begun, or that goes on. Every claim asks: a first attempt's
    is six queries, and never a git process."""
    begins = task.current_attempt <= 1 and task.latest_commit == task.attempt_base_commit
    with project.store.read() as session:
        attempts = [] if begins else history.past(session, task)
        reads = _sections(session, section.dependencies)
        beside = siblings.of(session, task)
    before = retelling.retold(attempts, task.current_attempt)
    so_far = next((each for each in attempts if each.number == task.current_attempt), None)
    return _render(
        "coder.md",
        **_common(project, task, section, settings, attempts),
        before=before,
        last=before[-1] if before else None,
        # As in the assignment: nothing was taken in yet on the base that it is to be brought to.
        merged=bool(task.squash_commit) and task.latest_commit == task.base_commit,
        so_far=retelling.lines_of(so_far.commits) if so_far else [],
        reads=reads,
        siblings=beside,
        leftovers=settings.leftovers,
        out_of_section=settings.out_of_section,
    )


def reviewer(
    project: OpenProject, task: db.Task, section: db.Section, settings: Settings, name: str
) -> str:
    """For the reviewer of that name, about the attempt that is in review.

    A handful of git processes. Raises `WrongState` when nothing was submitted.
    """
    with project.store.read() as session:
        attempts = history.past(session, task)
        beside = siblings.of(session, task)
    now = next((each for each in attempts if each.number == task.current_attempt), None)
    if now is None or now.tip is None:
        raise WrongState(
            f"Of task '{task.title}' nothing was submitted that could be reviewed",
            hint=f"steroids tasks history {task.id[:8]}",
        )
    first = history.first_of(attempts, now.number)
    mirror, ends = project.mirror, (now.base_commit, now.tip)
    patches = [read_patch(mirror, *ends, max_bytes=MAX_DIFF_BYTES)]
    if first is not now:
        patches.append(read_patch(mirror, first.base_commit, now.tip, max_bytes=MAX_DIFF_BYTES))
    changed = mirror.changed_paths(first.base_commit, now.tip)
    return _render(
        "reviewer.md",
        **_common(project, task, section, settings, attempts),
        name=name,
        before=retelling.retold(attempts, now.number),
        now=now,
        anew=history.is_anew(attempts, now.number),
        commits=retelling.lines_of(now.commits),
        approved_by=approvers(now),
        patch=patches[0],
        whole=patches[1] if len(patches) > 1 else None,
        whole_since=first.number,
        yardsticks=yardsticks(changed),
        siblings=beside,
    )


def preview(host: Host, project: OpenProject, word: str, name: str | None) -> str:
    """What the next coder of a task would be told, or, with a name, that reviewer of its newest
    attempt. Raises `NotFound`, `WrongState`, and `UsageError` for a name that is no agent's."""
    settings = host.settings(project)
    with project.store.read() as session:
        task = tasks.named(session, word)
        section = session.get_one(db.Section, task.section_id)
        newest = history.past(session, task)[-1:]
    if name is not None:
        agents.resolved(settings, name)
        return reviewer(project, task, section, settings, name)
    if task.status == TaskStatus.COMPLETED:
        raise WrongState(
            f"Task '{task.title}' is completed: nobody is going to code it",
            hint=f"steroids tasks history {task.id[:8]}",
        )
    if not newest or newest[0].status not in ("running", "interrupted"):
        # As a claim would write it down; this row is nobody's any more.
        task.current_attempt += 1
        if task.squash_commit is not None and task.squash_commit == task.latest_commit:
            task.base_commit = task.latest_commit = project.known.tip
        task.attempt_base_commit = task.latest_commit
    return coder(project, task, section, settings)


def _common(
    project: OpenProject,
    task: db.Task,
    section: db.Section,
    settings: Settings,
    attempts: list[Past],
) -> dict[str, Any]:
    judges = settings.reviewers()
    return {
        "project": project.name,
        "target": project.target,
        "task": task,
        "section": section,
        "attempt": task.current_attempt,
        # Where it is not how one of them ended, a person gave it when the task was put back.
        "said": None if task.reason in [each.reason for each in attempts] else task.reason,
        "checks": section.check_commands if CHECKS in judges else [],
        "judges": [each for each in judges if each != CHECKS],
        "human": HUMAN,
        "sparse": settings.sparse,
        "max_files": MAX_FILES,
    }


def _sections(session: Any, ids: list[str]) -> list[db.Section]:
    if not ids:
        return []
    query = select(db.Section).where(col(db.Section.id).in_(ids))
    return list(session.exec(query.order_by(col(db.Section.position))))


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values).strip() + "\n"


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    """Sandboxed, since one day a repository may bring templates of its own."""
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"fenced": fenced, "visible": visible}
    return made
