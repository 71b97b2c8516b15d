"""The variables by which what runs in the workspace finds its test database."""

from steroids.errors import ControllerUnavailable, SteroidsError
from steroids.runner.courier import Courier
from steroids.runner.failures import CommandFailed
from steroids.wire.assignment import Assignment

COMMITS_OWN = ("MIGRATION_FAILED", "SETUP_FAILED")
"""Codes of failures that the commit itself is to blame for."""


class NoDatabase(SteroidsError):
    """It could not be made; nothing is known about the work that it was for."""

    code = "NO_DATABASE"


def variables(assignment: Assignment, courier: Courier) -> dict[str, str]:
    """Of a fresh one for this assignment; none where there is none. Waits while it is made.

    To be called without a turn at what set-ups share: whoever migrates may need one. Raises
    `CommandFailed` when the commit cannot be migrated, `NoDatabase` when there is none for
    another reason.
    """
    if not assignment.database or assignment.checkout is None:
        return {}
    try:
        return courier.database(assignment.checkout.commit, assignment.fence or None)
    except ControllerUnavailable:
        raise
    except SteroidsError as error:
        command = error.details.get("command")
        if error.code not in COMMITS_OWN or not isinstance(command, str):
            raise NoDatabase(str(error), error.hint) from error
        code = error.details.get("exitCode")
        tail = str(error.details.get("tail", ""))
        raise CommandFailed(command, code if isinstance(code, int) else None, tail) from error
