"""Which commits on the target are a task's."""

from collections.abc import Sequence

from sqlmodel import Session

from steroids.git.commits import RawCommit, read_commits
from steroids.git.mirror import Mirror
from steroids.services import commits
from steroids.services.landing_conflict import trailer
from steroids.store import project_models as db


def landed_commits(mirror: Mirror, session: Session, task: db.Task) -> list[str]:
    """The commits that the task's landing put on the branch, newest first, each the first parent
    of the one before; none when it had nothing to land.

    A merge stands for the task's own commits, which are below it. What the task only had in its
    history, and the branch already, is not its work.
    """
    if task.landed_hash is None or mirror.resolve(task.landed_hash) is None:
        return []
    rows = commits.of_task(session, task.id)
    # Landing gives a commit another hash, unless it was there or goes in below a merge.
    put = {row.landed_hash for row in rows if row.landed_hash and row.landed_hash != row.hash}
    own = {row.hash for row in rows}
    found: list[str] = []
    for commit in _back(mirror, task.landed_hash, len(rows) + 2):
        merge = len(commit.parents) == 2 and commit.parents[1] in own
        if not merge and commit.hash not in put and not _written_by_landing(commit, task):
            break
        found.append(commit.hash)
        if merge:
            break
    return found


def _written_by_landing(commit: RawCommit, task: db.Task) -> bool:
    """Lockfiles that were written again: the newest commit, made of none of the task's."""
    return commit.hash == task.landed_hash and trailer(commit.text()) == task.id


def _back(mirror: Mirror, tip: str, count: int) -> Sequence[RawCommit]:
    listed = mirror.git("rev-list", "--first-parent", f"--max-count={count}", tip, "--").out
    # The first commit of all took nothing's place.
    return [raw for raw in read_commits(mirror.git, listed.split()) if raw.parents]
