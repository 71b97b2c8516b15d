"""A target and an attempt that have parted, and the attempt put on the target."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from steroids.git.land import Conflict, Identity, Replayed, replay
from steroids.git.mirror import Mirror
from tests.support.repos import TRAILER, Files, Repo, new_repo

STEROIDS = Identity("Steroids <bot>\n", "steroids@example.org")
LINES = [f"line {number}\n" for number in range(20)]


@dataclass
class Fork:
    """One repository: `main` is the target, `work` the attempt; both begin at `base`."""

    repo: Repo
    mirror: Mirror
    base: str

    def on(self, branch: str) -> Repo:
        self.repo.git("switch", "--quiet", branch)
        return self.repo

    def replay(
        self, *, base: str | None = None, at: datetime | None = None, **how: Any
    ) -> Replayed | Conflict:
        """`how`: the further arguments of `replay`."""
        onto = self.mirror.fetch(str(self.repo.path), "main")
        tip = self.mirror.fetch(str(self.repo.path), "work")
        return replay(
            *(self.mirror,),
            base=base or self.base,
            tip=tip,
            onto=onto,
            trailer=TRAILER,
            committer=STEROIDS,
            at=at,
            **how,
        )

    def lands(self, *, base: str | None = None, at: datetime | None = None, **how: Any) -> Replayed:
        result = self.replay(base=base, at=at, **how)
        assert isinstance(result, Replayed), result
        return result

    def conflicts(self, **how: Any) -> Conflict:
        result = self.replay(**how)
        assert isinstance(result, Conflict), result
        return result

    def move_main(self, commit: str) -> None:
        """The target goes to a commit that the mirror made, as after a push."""
        self.mirror.set_ref("refs/steroids/x", commit)
        self.repo.git("fetch", "--quiet", str(self.mirror.path), "+refs/steroids/x:refs/heads/new")
        self.on("main").git("merge", "--quiet", "--ff-only", "new")

    @property
    def main(self) -> str:
        return self.repo.git("rev-parse", "main")

    @property
    def work(self) -> str:
        return self.repo.git("rev-parse", "work")

    def read(self, commit: str, path: str) -> bytes | None:
        return self.mirror.read_file(commit, path)


def forked(root: Path, files: Files | None = None) -> Fork:
    texts: Files = {"a.txt": "".join(LINES), "b.txt": "b\n", "c.txt": "c\n"}
    repo = new_repo(root / "repo", {**texts, **(files or {})})
    repo.git("branch", "work")
    return Fork(repo, Mirror.create(root / "mirror.git"), repo.head)
