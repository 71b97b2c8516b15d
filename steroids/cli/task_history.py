"""A task's history, for people: each attempt, what was said of it, its commits."""

import sys
from collections.abc import Callable, Iterator, Sequence

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import count, plain
from steroids.wire.body import to_builtins
from steroids.wire.commit import Commit, subject
from steroids.wire.history import History, Past, against, approvers
from steroids.wire.task import Task, TaskStatus
from steroids.wire.verdict import Decision

MAX_CHARS, MAX_COMMITS, MAX_FILES = 160, 30, 5
MAX_LINES, MAX_CONFLICT_LINES = 4, 12
"""Of a reason, after its first one."""
RED, GREEN, BOLD = "31", "32", "1"
WORDS = {
    "running": "working",
    "review": "reviewing",
    "rejected": "REJECTED",
    "conflict": "CONFLICT",
    "failed": "FAILED",
    "disputed": "DISPUTED",
}
OPEN = ("running", "interrupted", "review", "approved")
"""What was said against such an attempt is not how it ended."""
ALL = "steroids tasks history -v"
Paint = Callable[[str, str], str]


@click.command("history", cls=Command)
@click.argument("task", shell_complete=task_ids)
@pass_context
def history(context: Context, task: str) -> None:
    """Show a task's attempts: who said what, which commits. -v cuts nothing."""
    answer = context.client.get(context.url("task/history", task=task), History)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    paint = painter(sys.stdout.isatty() and context.out.color)
    for line in lines(answer, whole=context.out.verbose, paint=paint):
        print(line)


def painter(color: bool) -> Paint:
    return lambda text, code: f"\x1b[{code}m{text}\x1b[0m" if color and code else text


def lines(history: History, *, whole: bool, paint: Paint) -> Iterator[str]:
    """`whole`: every line of every reason, every commit."""
    task = history.task
    yield f"Task: {paint(plain(task.title), BOLD)}   Status: {standing(task)}"
    if task.reverts:
        yield f"Takes back task {task.reverts[:8]}"
    if history.reverted_by:
        yield f"Taken back by task {history.reverted_by[:8]}"
    if not history.attempts:
        yield "No attempt yet"
    for attempt in history.attempts:
        newest = attempt is history.attempts[-1]
        yield from _verdict(attempt, task if newest else None, whole=whole, paint=paint)
        yield from _commits(attempt, whole=whole)
        if attempt.outside:
            yield f"  outside of its section: {some(attempt.outside, whole=whole)}"
        if newest and attempt.tip != attempt.base_commit:
            yield _extent(attempt)


def standing(task: Task) -> str:
    words = task.status.value.replace("_", " ")
    if task.current_attempt:
        words += f" (attempt {task.current_attempt})"
    if task.landed_hash:
        where = f" on {plain(task.landed_branch)}" if task.landed_branch else ""
        words += f"   landed as {task.landed_hash[:7]}{where}"
    elif task.status is TaskStatus.COMPLETED:
        words += "   there was nothing to land"
    return words


def outcome(attempt: Past, word: str, task: Task | None = None) -> str:
    """How it stands, in a few words that begin with `word`; `task` where that may wait for
    somebody."""
    approved = ", ".join(plain(each) for each in approvers(attempt))
    if attempt.status == "approved":
        word += f" by {approved}" if approved else ", without a reviewer"
    elif attempt.status in ("review", "conflict") and approved:
        word += f", approved by {approved}"
    if task is not None and task.status is TaskStatus.REVIEW and task.awaits:
        word += f"  waits for {plain(task.awaits)}: steroids tasks approve|reject {task.id[:8]}"
    return word


def _verdict(attempt: Past, task: Task | None, *, whole: bool, paint: Paint) -> Iterator[str]:
    word = WORDS.get(attempt.status, attempt.status)
    color = RED if word.isupper() else GREEN if word == "approved" else ""
    head = f"Attempt {attempt.number}  {outcome(attempt, paint(word, color), task)}"
    if shown := attempt.status in OPEN:
        yield head
    for each in against(attempt):
        by = f"  by {plain(each.by)}" if each.by else ""
        for number, reason in enumerate(each.reasons or ["no reason given"]):
            first, *rest = [line for line in plain(reason).splitlines() if line.strip()] or [""]
            lead = "  " if shown else f"{head}  "
            yield f'{lead}"{cut(first, whole=whole)}"{by if number == 0 else ""}'
            yield from _rest(rest, attempt.status, whole=whole)
            shown = True
    if not shown:
        yield head
    for given in attempt.verdicts:
        if given.decision is Decision.APPROVE and given.reasons:
            by = plain(given.actor or given.reviewer)
            yield f'  approved: "{cut(given.reasons[0], whole=whole)}"  by {by}'
    if task is not None and task.push_refused and task.reason:
        yield f'  {paint("push refused", RED)}  "{cut(task.reason, whole=whole)}"  steroids push'


def _rest(rest: Sequence[str], status: str, *, whole: bool) -> Iterator[str]:
    """What a check found is at the end of what it printed; a conflict begins with the files."""
    limit = MAX_CONFLICT_LINES if status == "conflict" else MAX_LINES
    left_out = 0 if whole else max(0, len(rest) - limit)
    note = [f"    | ... {count(left_out, 'more line')} ({ALL})"] if left_out else []
    if status == "conflict":
        shown, before, after = rest[: len(rest) - left_out], [], note
    else:
        shown, before, after = rest[left_out:], note, []
    yield from before
    yield from (f"    | {cut(line, whole=whole)}" for line in shown)
    yield from after


def _commits(attempt: Past, *, whole: bool) -> Iterator[str]:
    left_out = 0 if whole else max(0, len(attempt.commits) - MAX_COMMITS)
    if left_out:
        yield f"  ... {count(left_out, 'older commit')} (steroids tasks commits)"
    for each in attempt.commits[left_out:]:
        yield f"  {each.hash[:7]}  {cut(plain(subject(each)), whole=whole)}{_landed(each)}"
    if not attempt.commits and attempt.tip:
        yield "  no commits: nothing to change was found"


def _landed(commit: Commit) -> str:
    return f"   landed as {commit.landed_hash[:7]}" if commit.landed_hash else ""


def _extent(attempt: Past) -> str:
    base = f"base {attempt.base_commit[:7]}"
    if attempt.tip is None:
        return f"  nothing handed over yet   ({base})"
    size = f"{count(attempt.files, 'file')} changed, +{attempt.added} -{attempt.removed}"
    return f"  {size}   ({base}, tip {attempt.tip[:7]})"


def some(names: Sequence[str], *, whole: bool) -> str:
    shown = list(names) if whole else list(names)[:MAX_FILES]
    more = len(names) - len(shown)
    return plain(", ".join(shown)) + (f" and {more} more" if more else "")


def cut(text: str, *, whole: bool) -> str:
    text = plain(text).expandtabs(4)
    return text if whole or len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} ..."
