"""What a task changed: an attempt of it, or all of its work so far."""

from dataclasses import dataclass

from steroids.errors import UsageError
from steroids.services import commits, history, tasks
from steroids.services.host import OpenProject
from steroids.wire.commit import Diff
from steroids.wire.history import Past


@dataclass(frozen=True)
class Range:
    """Two commits whose trees are compared, so that it does not matter how one became the other:
    an agent may have rewritten what it did before."""

    base: str | None
    tip: str | None


def of(
    project: OpenProject, word: str, *, attempt: int | None, whole: bool, stat: bool = False
) -> Diff:
    """Of an attempt (none: the newest), or with `whole` of all its work.

    Empty, and without a tip, while nothing was submitted. Raises `NotFound` for an attempt that
    there is not, `UsageError` when both are asked for.
    """
    if whole and attempt is not None:
        raise UsageError(
            "An attempt, or the whole task, but not both", hint="steroids tasks diff TASK --all"
        )
    with project.store.read() as session:
        task = tasks.named(session, word)
        if attempt is not None:
            commits.check_attempt(session, task, attempt)
        attempts = history.past(session, task)
    asked = _whole(attempts) if whole else _one(attempts, attempt)
    if asked.base is None or asked.tip is None:
        return Diff(base=asked.base, tip=None, diff="")
    raw = project.mirror.diff(asked.base, asked.tip, stat=stat)
    return Diff(base=asked.base, tip=asked.tip, diff=raw.decode("utf-8", "replace"))


def _one(attempts: list[Past], number: int | None) -> Range:
    for each in reversed(attempts):
        if number in (None, each.number):
            return Range(each.base_commit, each.tip)
    return Range(None, None)


def _whole(attempts: list[Past]) -> Range:
    """Up to the newest tip there is. After a conflict and before anything new was submitted that
    is the work that conflicted, against what it was begun on."""
    submitted = [each for each in attempts if each.tip]
    if not submitted:
        return Range(None, None)
    last = submitted[-1]
    return Range(history.first_of(attempts, last.number).base_commit, last.tip)
