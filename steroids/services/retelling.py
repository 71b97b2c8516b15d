"""Attempts as prompts tell of them: what was done, who said what to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from steroids.services.history import is_anew
from steroids.services.quoting import shortened
from steroids.wire.commit import Commit, subject
from steroids.wire.history import Against, Past, against, approvers

MAX_LAST_CHARS = 20_000
MAX_EARLIER_CHARS = 6_000
"""Of one reason; only what a check printed is ever longer."""
MAX_COMMITS = 200


@dataclass(frozen=True)
class Told:
    number: int
    outcome: str
    """`rejected`, `conflict`, ..., as the attempt is."""
    anew: bool
    """It started on the target, with the work so far brought in again."""
    commits: list[str]
    approved_by: list[str]
    against: list[Against]

    @property
    def refused_by(self) -> str | None:
        return next((each.by for each in self.against if each.by), None)


def retold(attempts: Sequence[Past], last: int) -> list[Told]:
    """Those before attempt `last`, the first one first; the one before it with the most words."""
    before = [each for each in attempts if each.number < last]
    return [
        _told(
            each,
            is_anew(attempts, each.number),
            MAX_LAST_CHARS if each is before[-1] else MAX_EARLIER_CHARS,
        )
        for each in before
    ]


def lines_of(commits: Sequence[Commit]) -> list[str]:
    """`abc1234 Subject  (author)` for each, oldest first; of very many the newest."""
    left_out = len(commits) - MAX_COMMITS
    lines = [f"{each.hash[:7]} {subject(each)}  ({each.author})" for each in commits[-MAX_COMMITS:]]
    return [f"[... {left_out} older commits ...]", *lines] if left_out > 0 else lines


def _told(attempt: Past, anew: bool, max_chars: int) -> Told:
    return Told(
        number=attempt.number,
        outcome=attempt.status,
        anew=anew,
        commits=lines_of(attempt.commits),
        approved_by=approvers(attempt),
        against=[_cut(each, max_chars) for each in against(attempt)],
    )


def _cut(one: Against, max_chars: int) -> Against:
    reasons = [shortened(each, max_chars) for each in one.reasons]
    return Against(one.by, one.disputed, reasons, one.files)
