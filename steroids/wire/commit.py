from datetime import datetime

from steroids.wire.body import Body
from steroids.wire.verdict import Given


class Commit(Body):
    hash: str
    task_id: str
    attempt: int
    message: str
    author: str
    created_at: datetime
    status: str
    """`pending`, `approved` or `rejected`, as the attempt was."""
    rejection_reason: str | None = None
    landed_hash: str | None = None


def subject(commit: Commit) -> str:
    return next((line for line in commit.message.splitlines() if line.strip()), "(no message)")


class Commits(Body):
    commits: list[Commit]


class Attempt(Body):
    number: int
    status: str
    base_commit: str
    tip: str | None
    reason: str | None
    files: int
    """How many it changed; then the lines that it added and removed."""
    added: int
    removed: int
    outside: list[str]
    """Files that it changed outside its section."""
    verdicts: list[Given]
    started_at: datetime
    finished_at: datetime | None


class Diff(Body):
    base: str | None
    tip: str | None
    diff: str
    """Unified diff (or `--stat`); bytes that are not UTF-8 are replaced."""
