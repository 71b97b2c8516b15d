"""Every failure that a user may meet: one sentence, one hint, one exit code.

Anything that is not a `SteroidsError` is a bug and is shown as one.
"""

import errno
from typing import Any


class SteroidsError(Exception):
    """What failed and why, in one sentence; `hint` says what to do, with a command to type.

    `details` are further named facts for `--json`; they must be JSON-serialisable and are keyed
    in camelCase.
    """

    code = "FAILED"
    exit_code = 1
    http_status = 500

    def __init__(
        self, message: str, hint: str | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details or {}


class DiskFull(SteroidsError):
    """Nothing can be written where the controller keeps its things. Worth another try."""

    code, http_status = "DISK_FULL", 507


def out_of_space(error: BaseException | None) -> bool:
    """Whether that is what it comes from; SQLite and git say it in words of their own."""
    while error is not None:
        words = str(error).lower()
        if isinstance(error, DiskFull) or getattr(error, "errno", None) == errno.ENOSPC:
            return True
        if "disk is full" in words:
            return True
        error = error.__cause__
    return False


class UsageError(SteroidsError):
    code, exit_code, http_status = "USAGE", 2, 400


class BadBody(UsageError):
    """A request that the controller cannot read; a client of another version sends such."""

    code = "BAD_BODY"


class NotAProject(SteroidsError):
    code, exit_code, http_status = "NOT_A_PROJECT", 3, 404


class BadConfig(SteroidsError):
    code, exit_code, http_status = "BAD_CONFIG", 3, 400


class NotFound(SteroidsError):
    code, exit_code, http_status = "NOT_FOUND", 4, 404


class Ambiguous(NotFound):
    """A prefix or a name that fits several things; `details["candidates"]` lists them."""

    code = "AMBIGUOUS"


class EngineError(SteroidsError):
    """The engine answered, and the answer was no (a bad image, a conflict, no space)."""

    code, exit_code, http_status = "ENGINE_FAILED", 5, 502


class EngineUnavailable(EngineError):
    """The engine did not answer, or not in a way that says anything about a container.

    Never a reason to forget a container: it may well be alive.
    """

    code, http_status = "ENGINE_UNAVAILABLE", 503


class NoEngine(EngineUnavailable):
    """Neither Docker nor Podman was found."""

    code = "NO_ENGINE"


class ImageMissing(EngineError):
    code, http_status = "IMAGE_MISSING", 404


class ContainerGone(EngineError):
    """The engine said that there is no such container (and answered for certain)."""

    code, http_status = "CONTAINER_GONE", 404


class NameTaken(EngineError):
    """A container of that name exists and was not started from the same spec."""

    code, http_status = "NAME_TAKEN", 409


class Busy(SteroidsError):
    """Refused because something holds a lock or is already running."""

    code, exit_code, http_status = "BUSY", 6, 409


class SectionBusy(Busy):
    code = "SECTION_BUSY"


class WrongState(Busy):
    """The thing is not in a state that allows this (a transition that the table does not have)."""

    code = "WRONG_STATE"


class LeaseLost(Busy):
    """The caller's lease expired or was released; whatever it did under it is refused."""

    code = "LEASE_LOST"


class Unauthorised(SteroidsError):
    code, http_status = "UNAUTHORISED", 401


class Forbidden(SteroidsError):
    """Whoever asks is nobody that is answered, token or not."""

    code, http_status = "FORBIDDEN", 403


class GitError(SteroidsError):
    code, exit_code, http_status = "GIT_FAILED", 7, 502


class PushRefused(GitError):
    """The remote said no and will say no again: credentials, permission, protection, a hook."""

    code = "PUSH_REFUSED"


class RemoteUnreachable(GitError):
    """The remote did not answer; worth another try."""

    code = "REMOTE_UNREACHABLE"


class BundleRefused(SteroidsError):
    """An uploaded bundle is not what a runner may upload; nothing of it was taken in."""

    code, http_status = "BUNDLE_REFUSED", 422


class SetupFailed(SteroidsError):
    """A set-up command failed; `details` has `command`, `exitCode`, `tail`, `log`."""

    code = "SETUP_FAILED"


class StoreUnavailable(SteroidsError):
    """The database does not answer, or another process keeps it; nothing of the call was done,
    unless it was lost at the very end. Worth another try."""

    code, http_status = "STORE_UNAVAILABLE", 503


class ControllerUnavailable(SteroidsError):
    code, http_status = "CONTROLLER_UNAVAILABLE", 503


class VersionSkew(ControllerUnavailable):
    """The controller and the command are of different versions and do not understand each
    other."""

    code = "VERSION_SKEW"
