import sys
from collections.abc import Iterator

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import plain
from steroids.wire.body import to_builtins
from steroids.wire.commit import Commits, Diff, subject

HEADER, HUNK, ADDED, REMOVED = "1", "36", "32", "31"


@click.command("commits", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--attempt", type=int, metavar="N", help="Only this one's.")
@pass_context
def commits(context: Context, task: str, attempt: int | None) -> None:
    """List exactly the commits that belong to a task, oldest first."""
    answer = context.client.get(context.url("task/commits", task=task, attempt=attempt), Commits)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    rows = [
        (
            str(each.attempt),
            each.hash[:7],
            each.status,
            (each.landed_hash or "-")[:7],
            each.author.partition(" <")[0],
            subject(each),
        )
        for each in answer.commits
    ]
    if not rows:
        context.out.note("no commits yet" if attempt is None else f"attempt {attempt} has none")
        return
    context.out.table(("ATTEMPT", "COMMIT", "STATUS", "LANDED", "AUTHOR", "MESSAGE"), rows)


@click.command("diff", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--attempt", type=int, metavar="N", help="Default: the newest.")
@click.option("--all", "whole", is_flag=True, help="The whole task, over all attempts.")
@click.option("--stat", is_flag=True, help="Only which files, and how much.")
@pass_context
def diff(context: Context, task: str, attempt: int | None, whole: bool, stat: bool) -> None:
    """Show what an attempt changed."""
    url = context.url(
        "task/diff", task=task, attempt=attempt, whole=whole or None, stat=stat or None
    )
    answer = context.client.get(url, Diff)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if answer.tip is None:
        before = "\nhint: steroids tasks diff TASK --all   (the attempts before)"
        context.out.note(f"nothing was handed over yet{before if answer.base else ''}")
    elif not answer.diff:
        context.out.note("nothing was changed")
    if not sys.stdout.isatty():
        # As git gives it, so that it can be applied.
        sys.stdout.write(answer.diff)
        return
    for line in painted(plain(answer.diff)) if context.out.color else [plain(answer.diff)]:
        sys.stdout.write(line)


def painted(patch: str) -> Iterator[str]:
    """A patch in git's colours. Put on here and not by git, so that colours and other controls
    which are in the files themselves could be taken out before."""
    in_hunk = False
    for line in patch.splitlines(keepends=True):
        text = line.rstrip("\n")
        if text.startswith("diff --git "):
            in_hunk = False
        elif text.startswith("@@ "):
            in_hunk = True
        code = _color(text, in_hunk)
        yield f"\x1b[{code}m{text}\x1b[0m{line[len(text) :]}" if code else line


def _color(text: str, in_hunk: bool) -> str:
    if text.startswith("@@ "):
        return HUNK
    if not in_hunk:
        # Before the first hunk; a line of `--stat` begins with a space.
        return "" if text.startswith(" ") else HEADER
    return {"+": ADDED, "-": REMOVED}.get(text[:1], "")
