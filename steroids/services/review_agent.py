"""Having an agent review an attempt, in a fresh container."""

from steroids.errors import BadConfig, SteroidsError
from steroids.services import agents, checks, fresh, prompts
from steroids.services.fresh import Spot
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.agent import Program
from steroids.wire.assignment import Assignment, Kind, Outcome, Result, TaskBrief
from steroids.wire.verdict import Decision, Verdict

ASKS = 2
"""How often a runner asks it, when it does not answer with a verdict."""


class NoVerdict(SteroidsError):
    """The reviewer came to none, or not to one that can be read: that judges nobody's work."""

    code = "NO_VERDICT"


def ask(
    host: Host, project: OpenProject, task: db.Task, spot: Spot, name: str
) -> tuple[Verdict, float]:
    """Its verdict, and how long that took in seconds.

    A set-up that fails at the attempt's tip is a rejection, as it is where checks are run. Raises
    `NoVerdict`, `BadConfig` for an agent that cannot review, and what `fresh.run` raises.
    """
    settings = host.settings(project)
    agent = agents.resolved(settings, name)
    if agent.use is Program.SCRIPT and agent.run is None:
        raise BadConfig(
            f"The reviewer '{name}' is a script without `run`, so that there is nothing to run",
            hint="steroids config show   (agents)",
        )
    timeout_s = settings.review.reviewer_timeout_s
    assignment = Assignment(
        kind=Kind.REVIEW,
        task=TaskBrief(
            id=task.id,
            title=task.title,
            spec=task.spec,
            attempt=task.current_attempt,
            section=spot.section.name,
            prompt=prompts.reviewer(project, task, spot.section, settings, name),
        ),
        agent=agent,
        timeout_s=timeout_s,
    )
    result = fresh.run(host, project, spot, assignment, timeout_s=timeout_s * ASKS)
    return _verdict(result, name), result.duration_s


def _verdict(result: Result, name: str) -> Verdict:
    if result.command is not None:
        return Verdict(decision=Decision.REJECT, reasons=[checks.failure(result)])
    if result.outcome is Outcome.DONE and result.verdict is not None:
        return result.verdict
    verb = "cannot review" if result.outcome is Outcome.UNUSABLE else "gave no verdict"
    first, *rest = result.tail.splitlines() or ["nothing is known"]
    raise NoVerdict(
        f"{name} {verb}: {first}",
        hint="steroids logs -v",
        details={"tail": "\n".join(rest)},
    )
