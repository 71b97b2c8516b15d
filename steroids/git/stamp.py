"""Commits as landing makes them: on another parent, as one, or under a merge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from steroids.git.command import Git
from steroids.git.commits import Identity, RawCommit, decoded, write_commit
from steroids.git.messages import Trailer, co_authors, combined, with_trailers


@dataclass(frozen=True)
class Stamp:
    """What landing adds to a commit."""

    git: Git
    trailer: Trailer
    committer: Identity
    at: datetime | None
    title: str | None

    def again(self, commit: RawCommit, tree: str, parent: str) -> str:
        """The same commit elsewhere."""
        made = with_trailers(self.git, commit.message, self.trailer)
        return self._write(commit, tree, (parent,), commit.author, made, commit.encoding)

    def squashed(self, commits: Sequence[RawCommit], tree: str, parent: str) -> str:
        last = commits[-1]
        author = decoded(last.author, last.encoding).encode()
        made = with_trailers(
            self.git,
            combined(commits, self.title),
            *co_authors(commits, author),
            self.trailer,
        )
        return self._write(last, tree, (parent,), author, made)

    def merge(self, last: RawCommit, tree: str, parents: tuple[str, str]) -> str:
        title = " ".join((self.title or last.hash[:7]).split())
        made = with_trailers(self.git, f"Merge task: {title}\n".encode(), self.trailer)
        author = self.committer.line(self._when(last), "utf-8")
        return self._write(last, tree, parents, author, made)

    def _write(
        self,
        like: RawCommit,
        tree: str,
        parents: tuple[str, ...],
        author: bytes,
        message: bytes,
        encoding: str = "utf-8",
    ) -> str:
        return write_commit(
            self.git,
            tree=tree,
            parents=parents,
            author=author,
            committer=self.committer.line(self._when(like), encoding),
            encoding=encoding,
            message=message,
        )

    def _when(self, like: RawCommit) -> bytes:
        if self.at is None:
            return like.committer.rpartition(b"> ")[2]
        return b"%d +0000" % int(self.at.astimezone(UTC).timestamp())
