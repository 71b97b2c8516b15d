"""A set-up or a check: the one thing that its container does."""

import time
from pathlib import Path

from steroids.runner import caches, databases, sqlite
from steroids.runner.collecting import collect
from steroids.runner.courier import Courier
from steroids.runner.failures import CommandFailed
from steroids.runner.outbox import Outbox
from steroids.runner.relocation import undo_if_bound
from steroids.runner.setting_up import set_up
from steroids.runner.workspace import Fetch, Workspace
from steroids.wire.assignment import Assignment, Kind, Outcome, Result

MAX_TAIL_CHARS = 12_000


def run(
    assignment: Assignment, workspace: Workspace, courier: Courier, outbox: Outbox, scratch: Path
) -> None:
    """Raises `Broken`."""
    assert assignment.checkout is not None
    began = time.monotonic()
    env = {**workspace.env, **assignment.env}
    try:
        workspace.check_out(assignment.checkout, _fetch(assignment, courier, outbox), scratch)
        env |= databases.variables(assignment, courier)
        with courier.alone(assignment.alone):
            env = set_up(workspace, assignment.checkout, env, outbox.log)
            env |= sqlite.fresh(workspace, assignment.sqlite, env, outbox.log)
            for command in assignment.commands:
                outbox.log(f"$ {command}")
                workspace.shell(command, env, outbox.log, assignment.timeout_s)
        files = collect(workspace.path, assignment.collect)
        result = Result(outcome=Outcome.DONE, files=files)
    except CommandFailed as error:
        result = failed(error)
    except databases.NoDatabase as error:
        # The controller knows why, and that it says nothing about the work.
        result = Result(outcome=Outcome.FAILED, tail=str(error))
    result.duration_s = time.monotonic() - began
    if assignment.kind is Kind.SETUP:
        if result.outcome is Outcome.DONE and assignment.checkout.setup:
            caches.save(workspace.env, workspace.uid, outbox.log)
        caches.drop(workspace.env, workspace.uid, outbox.log)
        undo_if_bound(workspace, outbox.note)
    outbox.flush()
    courier.result(result)


def _fetch(assignment: Assignment, courier: Courier, outbox: Outbox) -> Fetch:
    """A first snapshot takes in all history, which is a while where that is long."""
    if assignment.kind is not Kind.SETUP:
        return courier.fetch

    def told(want: str, have: list[str], target: Path) -> bool:
        outbox.log("fetching the commits")
        made = courier.fetch(want, have, target)
        outbox.log("unpacking the commits, checking out")
        return made

    return told


def failed(error: CommandFailed) -> Result:
    return Result(
        outcome=Outcome.FAILED,
        command=error.command,
        exit_code=error.exit_code,
        tail=error.tail[-MAX_TAIL_CHARS:],
    )
