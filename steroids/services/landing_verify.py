"""Whether the checks still pass on what will really be on the branch.

They have been run on each attempt's tip. When the result has another tree, somebody else's change
is in it too.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from steroids.git.commits import read_commits
from steroids.services import checks, judging, verdicts
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.landing_batch import Batch, Course, Step, is_same, stands
from steroids.setting_groups import CHECKS
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome, Result
from steroids.wire.event import EventKind
from steroids.wire.verdict import Decision, Verdict

LAPS = 3
"""How often `when_moved` checks again what lost a race. A busy branch and slow checks would keep
a task from landing for ever."""


@dataclass(frozen=True)
class Failed:
    """Checks that failed on a batch."""

    batch: Batch
    result: Result


def verify(
    host: Host, project: OpenProject, batch: Batch, settings: Settings, course: Course
) -> Failed | None:
    """Run what checks have to be run on the batch's last commit; None when nothing is against it.

    Blocks while they run. Raises what `checks.run` raises, so `Unwanted` when a task of the batch
    is taken away meanwhile.
    """
    tree, sections = _to_check(project, batch, settings)
    sections = [step for step in sections if (tree, step.section.id) not in course.verified]
    if not sections:
        return None
    if settings.landing.verify == "when_moved" and course.checked >= LAPS:
        say(
            host,
            project,
            EventKind.NOTICE,
            f"{project.target} went on {LAPS} times while checks ran: landing what passed on an "
            "earlier tip   (landing.verify: always never does)",
            data={"tasks": [step.task.id for step in batch.steps]},
        )
        return None
    course.checked += 1
    with ThreadPoolExecutor(min(len(sections), settings.runners.max_parallel)) as pool:
        results = list(
            pool.map(
                lambda step: _run(host, project, batch, step, course.engine_of(step.task.id)),
                sections,
            )
        )
    failed = next((each for each in results if each.outcome is not Outcome.DONE), None)
    if failed is not None:
        return Failed(batch, failed)
    course.verified |= {(tree, step.section.id) for step in sections}
    return None


def _to_check(project: OpenProject, batch: Batch, settings: Settings) -> tuple[str, list[Step]]:
    """The tree of the whole, and of each section whose checks are to run there the last task."""
    mode = settings.landing.verify
    wanted = [
        step
        for step in batch.steps
        if step.lands and step.section.check_commands and not step.task.overridden
    ]
    if mode == "never" or not wanted:
        return "", []
    trees = [raw.tree for raw in read_commits(project.mirror.git, [s.tip for s in batch.steps])]
    moved = any(map(_moved, batch.steps, trees))
    chosen = wanted if moved or mode == "always" else []
    return trees[-1], list({step.section.id: step for step in chosen}.values())


def _moved(step: Step, tree: str) -> bool:
    """Whether its content there is another one than its reviewers saw."""
    return step.lands and (step.merged or tree != step.task.approved_tree)


def _run(host: Host, project: OpenProject, batch: Batch, step: Step, engine: str) -> Result:
    base = step.task.base_commit or batch.onto
    return checks.run(
        host,
        project,
        step.section,
        batch.tip,
        engine,
        base=base,
        task_id=step.task.id,
        wanted=lambda: stands(project, batch),
    )


def reject(host: Host, project: OpenProject, failed: Failed, settings: Settings) -> None:
    """A single task that the checks refuse: back for another attempt.

    That starts on the target, with the work merged in, for where it was made its checks pass.
    """
    (step,) = failed.batch.steps
    said = f"passes alone, but not together with {project.target}:\n{checks.failure(failed.result)}"
    with project.store.write() as session:
        row = session.get_one(db.Task, step.task.id)
        if not is_same(row, step.task):
            return
        verdict = Verdict(decision=Decision.REJECT, reasons=[said])
        took_s = failed.result.duration_s
        judging.keep(session, row, CHECKS, verdict, tip=step.tip, duration_s=took_s)
        verdicts.reject(
            session,
            row,
            said,
            section=step.section.name,
            actor="landing",
            settings=settings,
            reviewer=CHECKS,
        )
        verdicts.bring_in_anew(row)
        session.add(row)
    host.changed()
