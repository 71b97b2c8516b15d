"""A controller that was started by another version of Steroids than this command is of."""

import re
from collections.abc import Callable

from steroids import __version__
from steroids.client import Listener
from steroids.errors import ControllerUnavailable, SteroidsError, VersionSkew

RESTART = "steroids daemon restart   (runners go on working)"


class Skew(Listener):
    """One per command: says it once, and blames it for what comes of it."""

    def __init__(self, note: Callable[[str], None], hint: str = RESTART) -> None:
        self._note = note
        self._hint = hint
        self._said: str | None = None

    def heard(self, version: str | None) -> None:
        said = _comparison(version)
        if said is not None and self._said is None:
            self._note(f"note: {said}\nhint: {self._hint}")
        self._said = said

    def judged(self, error: SteroidsError) -> SteroidsError:
        """An error that the controller meant comes with all that errors have; but one of a route
        that it does not have, a body that it cannot read or an answer that nobody here can read
        does not."""
        from steroids.wire.error import RemoteError

        if self._said is None or (isinstance(error, RemoteError) and error.code != "BAD_BODY"):
            return error
        why = "it answered what this command cannot read"
        if not isinstance(error, ControllerUnavailable):
            why = "it does not know what this command asked for"
        details = {"cause": error.message}
        return VersionSkew(f"{self._said[0].upper()}{self._said[1:]}: {why}", self._hint, details)


def _comparison(version: str | None) -> str | None:
    """In words; None when both are of the same version."""
    if version == __version__:
        return None
    if version is None:
        # The first ones did not say it.
        return f"the running controller is older than this command ({__version__})"
    which = "of another version than"
    if _order(version) != _order(__version__):
        which = "older than" if _order(version) < _order(__version__) else "newer than"
    return f"the running controller ({version}) is {which} this command ({__version__})"


def _order(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d{1,9}", version)]
