import click

from steroids.cli.command import Command, Context, Group, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.task_approve import judged, show
from steroids.wire.body import to_builtins
from steroids.wire.task import Tasks, TaskStatus
from steroids.wire.verdict import Resolution, Resolve

MAX_WHY_CHARS = 100


@click.group(cls=Group)
def dispute() -> None:
    """Tasks that only a person can decide on."""


@dispute.command("list")
@pass_context
def list_(context: Context) -> None:
    """List disputed tasks, and why they are."""
    url = context.url("tasks", status=[TaskStatus.DISPUTED.value])
    answer = context.client.get(url, Tasks)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.tasks:
        context.out.note("nothing is disputed")
        return
    rows = [
        (each.id[:8], each.section, each.title, str(each.rejection_count), _why(each.reason))
        for each in answer.tasks
    ]
    context.out.table(("ID", "SECTION", "TITLE", "REJECTED", "WHY"), rows)
    context.out.note("next: steroids tasks dispute resolve ID --approve|--retry|--skip")


def _why(reason: str | None) -> str:
    first = next(iter((reason or "-").splitlines()), "-")
    return first if len(first) <= MAX_WHY_CHARS else f"{first[:MAX_WHY_CHARS]} ..."


@dispute.command("resolve", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--approve", is_flag=True, help="Land what there is.")
@click.option("--retry", is_flag=True, help="Have another attempt made.")
@click.option("--skip", is_flag=True, help="Leave it out.")
@click.option("--reason", metavar="TEXT", help="Why; with --retry the next attempt is told.")
@pass_context
def resolve(
    context: Context, task: str, approve: bool, retry: bool, skip: bool, reason: str | None
) -> None:
    """Decide on a disputed task."""
    asked = {Resolution.APPROVE: approve, Resolution.RETRY: retry, Resolution.SKIP: skip}
    ways = [way for way, given in asked.items() if given]
    if len(ways) != 1:
        raise click.UsageError("Give exactly one of --approve, --retry, --skip")
    body = Resolve(how=ways[0], reason=reason)
    show(context, judged(context, "task/resolve", task, body))
