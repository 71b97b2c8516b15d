from datetime import UTC, datetime

import click

from steroids.cli.command import Context, Group, pass_context
from steroids.cli.output import ago, count
from steroids.wire.body import to_builtins
from steroids.wire.lock import Cleanup, Lock, Locks, Release


@click.group(cls=Group)
def locks() -> None:
    """Who holds what: sections, files, zones, shared resources."""


@locks.command("list")
@pass_context
def list_(context: Context) -> None:
    """List all locks, in the order in which they were granted."""
    answer = context.client.get(context.url("locks"), Locks)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.locks:
        context.out.note("no locks are held")
        return
    _table(context, answer.locks)


@locks.command("release")
@click.argument("lock")
@click.option("--force", is_flag=True, help="Also from a living runner, which then stops its task.")
@pass_context
def release(context: Context, lock: str, force: bool) -> None:
    """Release a lock, and all that its task holds with it.

    LOCK is the id or the resource that `steroids locks list` shows.
    """
    body = Release(lock=lock, force=force)
    answer = context.client.post(context.url("locks/release"), body, Locks)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    for each in answer.locks:
        context.out.line(f"released {each.name}")
    task = answer.locks[0].task
    if task:
        context.out.note(f"'{task}' goes back to pending, at its last uploaded commit")


@locks.command("cleanup")
@click.option("--dry-run", is_flag=True, help="Only list what would be released.")
@pass_context
def cleanup(context: Context, dry_run: bool) -> None:
    """Release what nobody holds any more: expired, or of a runner that is gone."""
    body = Cleanup(dry_run=dry_run)
    answer = context.client.post(context.url("locks/cleanup"), body, Locks)
    if context.out.json:
        context.out.result({**to_builtins(answer), "dryRun": dry_run})
        return
    for each in answer.locks:
        verb = "would release" if dry_run else "released"
        context.out.line(f"{verb} {each.name}  of runner {each.runner_id[:8]}")
    if not answer.locks:
        context.out.note("nothing to clean up")
    elif not dry_run:
        context.out.note(f"{count(len(answer.locks), 'lock')} released")


def _table(context: Context, found: list[Lock]) -> None:
    now = datetime.now(UTC)
    rows = [
        (
            str(each.id),
            each.name,
            "exclusive" if each.exclusive else "shared",
            each.task or "(build)",
            each.runner_id[:8],
            ago((now - each.granted_at).total_seconds()),
            _until(each, now),
        )
        for each in found
    ]
    heads = ("ID", "RESOURCE", "MODE", "TASK", "RUNNER", "GRANTED", "EXPIRES")
    context.out.table(heads, rows)


def _until(lock: Lock, now: datetime) -> str:
    if lock.expires_at is None:
        return "when landed"
    if not lock.alive:
        return "runner is gone"
    return f"in {max(0, (lock.expires_at - now).total_seconds()):.0f} s"
