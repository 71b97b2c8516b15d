import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.options import Decorator
from steroids.cli.output import escape
from steroids.wire.body import to_builtins
from steroids.wire.task import Task, TaskOne, TaskStatus
from steroids.wire.verdict import Judge


def attempt_option() -> Decorator:
    return click.option(
        "--attempt", type=click.IntRange(1), metavar="N", help="Only if this is the attempt."
    )


@click.command("approve", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--reason", metavar="TEXT", help="Why; kept in its history.")
@attempt_option()
@pass_context
def approve(context: Context, task: str, reason: str | None, attempt: int | None) -> None:
    """Approve a task: as its reviewer, or whatever others say."""
    answer = judged(context, "task/approve", task, Judge(reason=reason, attempt=attempt))
    show(context, answer)


@click.command("reject", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--reason", metavar="TEXT", required=True, help="What its next attempt is told.")
@attempt_option()
@pass_context
def reject(context: Context, task: str, reason: str, attempt: int | None) -> None:
    """Send a task back, in review or approved and not landed."""
    answer = judged(context, "task/reject", task, Judge(reason=reason, attempt=attempt))
    show(context, answer)


def judged(context: Context, path: str, task: str, body: object) -> Task:
    """What has become of the task."""
    return context.client.post(context.url(path, task=task), body, TaskOne).task


NEXT = {
    TaskStatus.PENDING: "steroids up   (its next attempt)",
    TaskStatus.BLOCKED: "steroids tasks show {task}   (what it waits for)",
    TaskStatus.REVIEW: "steroids logs -f   (its other reviewers)",
    TaskStatus.APPROVED: "steroids logs -f   (its landing)",
    TaskStatus.DISPUTED: "steroids tasks dispute resolve {task} --approve|--retry|--skip",
    TaskStatus.SKIPPED: "steroids tasks retry {task}   (when it is wanted after all)",
}


def show(context: Context, task: Task) -> None:
    """Its state after a person's word, and what to do next."""
    if context.out.json:
        context.out.result(to_builtins(TaskOne(task=task)))
        return
    short = task.id[:8]
    context.out.line(f"{short}  {task.status}  {escape(task.title)}")
    if task.status in NEXT:
        context.out.note(f"next: {NEXT[task.status].format(task=short)}")
