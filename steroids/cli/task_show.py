from collections.abc import Iterator

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import count, plain
from steroids.cli.task_history import WORDS, cut, outcome
from steroids.wire.body import to_builtins
from steroids.wire.history import History, Past, against
from steroids.wire.task import Task, TaskStatus

MAX_REASON_LINES = 30
Rows = Iterator[tuple[str, str]]


@click.command("show", cls=Command)
@click.argument("task", shell_complete=task_ids)
@pass_context
def show(context: Context, task: str) -> None:
    """Show a task, why it is where it is, and what to do next."""
    answer = context.client.get(context.url("task/history", task=task), History)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    print(plain(answer.task.title))
    for label, text in rows(answer, whole=context.out.verbose):
        print(f"  {label:<9}  {plain(text)}".rstrip())
    if answer.task.spec.strip():
        print()
        print(plain(answer.task.spec).strip("\n"))


def rows(history: History, *, whole: bool) -> Rows:
    """Label and text; a row that goes on with the one before has no label."""
    task, attempts = history.task, history.attempts
    yield "id", task.id
    yield "section", task.section
    yield "status", f"{task.status.replace('_', ' ')}: {meaning(task, attempts)}"
    for command in commands(task, attempts):
        yield "", f"  {command}"
    yield from _reason(task, whole=whole)
    if task.agent:
        yield "agent", task.agent
    yield "priority", f"{task.priority}  (0 is worked on first, 100 last)"
    if task.affected_paths:
        yield "affects", ", ".join(task.affected_paths)
    if task.after and not task.waits_for:
        yield "after", ", ".join(each[:8] for each in task.after)
    if task.reverts:
        yield "reverts", f"task {task.reverts[:8]}"
    if history.reverted_by:
        yield "reverted", f"by task {history.reverted_by[:8]}"
    if task.landed_hash:
        yield (
            "landed",
            f"{task.landed_hash}{f' on {task.landed_branch}' * bool(task.landed_branch)}",
        )
    counts = (
        (task.rejection_count, "rejection"),
        (task.landing_failures, "landing failure"),
        (task.infrastructure_failures, "failure of the machinery"),
    )
    if any(number for number, _ in counts):
        yield "counted", ", ".join(count(n, noun) for n, noun in counts if n)
    for attempt in attempts:
        yield f"attempt {attempt.number}", _line(attempt)


def meaning(task: Task, attempts: list[Past]) -> str:
    """What the status says, to somebody who sees it for the first time."""
    last = attempts[-1].status if attempts else None
    match task.status:
        case TaskStatus.PENDING if last == "conflict":
            return "did not fit on what landed meanwhile; the next attempt brings it there"
        case TaskStatus.PENDING if last == "interrupted":
            return "was interrupted; the next runner goes on with it"
        case TaskStatus.PENDING if last is not None:
            return "sent back; the next attempt mends it"
        case TaskStatus.PENDING:
            return "waits for a runner of its section"
        case TaskStatus.IN_PROGRESS:
            return "an agent works on it"
        case TaskStatus.REVIEW if task.awaits:
            return "waits for a person to look at it"
        case TaskStatus.REVIEW:
            return "its checks and reviewers are at work"
        case TaskStatus.APPROVED if task.push_refused:
            return "approved, but the remote refused the push"
        case TaskStatus.APPROVED:
            return "on its way to the branch"
        case TaskStatus.COMPLETED:
            return "landed" if task.landed_hash else "there was nothing to land"
        case TaskStatus.FAILED:
            return "nobody works on it any more"
        case TaskStatus.DISPUTED:
            return "a person has to decide what becomes of it"
        case TaskStatus.BLOCKED:
            return "waits for other tasks"
        case TaskStatus.SKIPPED:
            return "left out"


def commands(task: Task, attempts: list[Past]) -> list[str]:
    """What one would type next."""
    short = task.id[:8]
    match task.status:
        case TaskStatus.PENDING:
            return [
                f"steroids up --section '{task.section}'",
                "steroids locks list   (whom it may have to wait for)",
            ]
        case TaskStatus.IN_PROGRESS:
            return ["steroids logs -f"]
        case TaskStatus.REVIEW if task.awaits:
            return [
                f"steroids tasks diff {short}{' --all' * (len(attempts) > 1)}",
                f"steroids tasks approve {short}",
                f"steroids tasks reject {short} --reason TEXT",
            ]
        case TaskStatus.APPROVED if task.push_refused:
            return ["steroids push"]
        case TaskStatus.DISPUTED:
            return [f"steroids tasks dispute resolve {short} --approve|--retry|--skip"]
        case TaskStatus.FAILED:
            return [f"steroids tasks edit {short}", f"steroids tasks retry {short}"]
        case TaskStatus.SKIPPED:
            return [f"steroids tasks retry {short}"]
        case _:
            return []


def _reason(task: Task, *, whole: bool) -> Rows:
    """All of it is what the next attempt is told; its end says most. While that is under way, it
    is said of the attempts before."""
    if not task.reason or task.status in (TaskStatus.IN_PROGRESS, TaskStatus.REVIEW):
        return
    first, *rest = task.reason.splitlines() or [""]
    yield "reason", first
    left_out = 0 if whole else max(0, len(rest) - MAX_REASON_LINES)
    if left_out:
        yield "", f"... {count(left_out, 'more line')} (-v shows all)"
    for line in rest[left_out:]:
        yield "", line


def _line(attempt: Past) -> str:
    words = outcome(attempt, WORDS.get(attempt.status, attempt.status).lower())
    said = next(iter(against(attempt)), None)
    if said is None:
        return words
    lines = [line.strip() for each in said.reasons for line in each.splitlines() if line.strip()]
    reason = cut(" ... ".join(dict.fromkeys((lines[0], lines[-1]))), whole=False) if lines else ""
    return f"{words}{f' by {said.by}' if said.by else ''}: {reason}"
