"""An error on its way from the controller to whoever asked."""

from typing import Any

import msgspec

from steroids.errors import SteroidsError
from steroids.wire.body import Body


class ErrorBody(Body):
    error: str
    code: str
    hint: str | None = None
    exit_code: int = 1
    details: dict[str, Any] = {}


class RemoteError(SteroidsError):
    """A `SteroidsError` that the controller raised, seen at the other end with the same fields."""

    def __init__(self, body: ErrorBody, http_status: int) -> None:
        super().__init__(body.error, body.hint, body.details)
        self.code = body.code
        self.exit_code = body.exit_code
        self.http_status = http_status


def from_exception(error: SteroidsError) -> ErrorBody:
    return ErrorBody(
        error=error.message,
        code=error.code,
        hint=error.hint,
        exit_code=error.exit_code,
        details=error.details,
    )


def to_exception(raw: bytes, http_status: int) -> SteroidsError:
    """The exception of an error answer, also of one that is not ours (a proxy, a bug)."""
    try:
        return RemoteError(msgspec.json.decode(raw, type=ErrorBody), http_status)
    except (msgspec.ValidationError, msgspec.DecodeError):
        text = raw[:200].decode("utf-8", "replace").strip()
        return SteroidsError(f"The controller answered {http_status}: {text or 'nothing'}")
