"""A workspace in which an agent has been: real git, and what the runner makes of it."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from steroids.git.bundle import write_bundle
from steroids.git.mirror import Mirror
from steroids.runner.harvest import Before, Gathering, Harvest
from steroids.runner.workspace import Workspace
from steroids.wire.assignment import Author, Checkout, Leftovers, Sparse
from tests.support.repos import Files, Repo, new_repo

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Agent"), ("EMAIL", "agent@example.org"))
}


@dataclass
class Place:
    """A workspace at `start`, in which `script` is what an agent does."""

    workspace: Workspace
    mirror: Mirror
    start: str
    sparse: Sparse | None = None
    said: list[str] = field(default_factory=list)

    @property
    def repo(self) -> Repo:
        return Repo(self.workspace.path)

    def check_out(self, commit: str, squash: str | None = None) -> None:
        def fetch(want: str, have: list[str], target: Path) -> bool:
            return write_bundle(self.mirror, target, want=want, have=have)

        scratch = self.workspace.path.parent
        checkout = Checkout(commit=commit, squash=squash, sparse=self.sparse)
        self.workspace.check_out(checkout, fetch, scratch)

    def script(self, text: str) -> None:
        env = {**self.workspace.env, **IDENTITY}
        done = subprocess.run(
            ["sh", "-ec", text], cwd=self.workspace.path, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def gather(
        self,
        script: str = "true",
        rule: Leftovers = Leftovers.COMMIT,
        *,
        stopped: bool = False,
        start: str | None = None,
    ) -> Harvest:
        before = Before.look(self.workspace)
        self.script(script)
        return Gathering(
            workspace=self.workspace,
            start=start or self.start,
            title="The task",
            author=Author(name="Uma", email="uma@example.org"),
            rule=rule,
            before=before,
            stopped=stopped,
            say=self.said.append,
        ).gather()

    def log(self, tip: str) -> list[str]:
        """Subjects of what is on top of the start, newest first."""
        return self.repo.git("log", "--format=%s", f"{self.start}..{tip}").splitlines()

    def files(self, tip: str) -> list[str]:
        """Paths that differ from the start."""
        return self.repo.git("diff", "--no-renames", "--name-only", self.start, tip).splitlines()


def new_place(root: Path, files: Files, sparse: Sparse | None = None) -> Place:
    """Checked out at the one commit of a repository with these files."""
    origin = new_repo(root / "origin", files)
    mirror = Mirror.create(root / "mirror.git")
    start = mirror.fetch(str(origin.path), "main")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for name in ("work", "state"):
        (root / name).mkdir()
    made = Place(Workspace(root / "work", root / "state", None, env), mirror, start, sparse)
    made.check_out(start)
    return made
