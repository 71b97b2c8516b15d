"""A set-up or a check: the one thing that its container does."""

import time
from pathlib import Path

from steroids.runner.collecting import collect
from steroids.runner.courier import Courier
from steroids.runner.outbox import Outbox
from steroids.runner.relocation import undo_if_bound
from steroids.runner.workspace import CommandFailed, Workspace
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
        workspace.check_out(assignment.checkout, courier.fetch, scratch)
        with courier.alone(assignment.alone):
            workspace.set_up(assignment.checkout, env, outbox.log)
            for command in assignment.commands:
                outbox.log(f"$ {command}")
                workspace.shell(command, env, outbox.log, assignment.timeout_s)
        files = collect(workspace.path, assignment.collect)
        result = Result(outcome=Outcome.DONE, files=files)
    except CommandFailed as error:
        result = failed(error)
    result.duration_s = time.monotonic() - began
    if assignment.kind is Kind.SETUP:
        _slim(workspace)
        undo_if_bound(workspace, outbox.note)
    outbox.flush()
    courier.result(result)


def failed(error: CommandFailed) -> Result:
    return Result(
        outcome=Outcome.FAILED,
        command=error.command,
        exit_code=error.exit_code,
        tail=error.tail[-MAX_TAIL_CHARS:],
    )


def _slim(workspace: Workspace) -> None:
    """Drop package managers' download caches, which would double the snapshot."""
    for name in (".npm", ".cache"):
        workspace.shell(f'rm -rf "$HOME/{name}"', workspace.env, print, 60)
