"""Small real repositories to test against, made with the real git and nobody's configuration."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Content = str | bytes | None
Files = Mapping[Any, Content]
"""Paths, str or bytes or some of each, and what is to be in them; None: the file is removed."""
TRAILER = ("Steroids-Task", "T1")


class Repo:
    """A repository with a work tree. Every commit is a minute after the last, so hashes repeat."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._clock = 1_700_000_000

    def git(self, *args: str, stdin: bytes | None = None, check: bool = True) -> str:
        return self.git_bytes(*args, stdin=stdin, check=check).decode("utf-8", "replace").strip()

    def git_bytes(self, *args: str, stdin: bytes | None = None, check: bool = True) -> bytes:
        self._clock += 60
        when = f"{self._clock} +0200"
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann Author",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": "Carl Committer",
            "GIT_COMMITTER_EMAIL": "carl@example.org",
            "GIT_COMMITTER_DATE": when,
        }
        # A housekeeping git in the background would outlive the test.
        argv = ["git", "-c", "gc.auto=0", "-C", str(self.path), *args]
        done = subprocess.run(argv, input=stdin or b"", env=env, capture_output=True)
        assert done.returncode == 0 or not check, done.stderr.decode("utf-8", "replace")
        return done.stdout

    def commit(
        self,
        message: str | bytes,
        files: Files | None = None,
        *options: str,
    ) -> str:
        """Write the files (None: remove), commit everything, return the hash."""
        for name, content in (files or {}).items():
            file = self.path / os.fsdecode(name)
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        text = message.encode() if isinstance(message, str) else message
        self.git("commit", "--quiet", "--allow-empty", *options, "--file=-", stdin=text)
        return self.head

    def reword(self, message: bytes) -> str:
        """Give the last commit exactly these bytes as its message, which `git commit` would not."""
        head, _, _ = self.git_bytes("cat-file", "commit", "HEAD").partition(b"\n\n")
        made = self.git(
            *("hash-object", "-t", "commit", "-w", "--stdin"), stdin=head + b"\n\n" + message
        )
        self.git("reset", "--soft", made)
        return made

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


def new_repo(path: Path, files: Files | None = None) -> Repo:
    """A repository on branch `main` with one commit, `start`."""
    path.mkdir(parents=True, exist_ok=True)
    repo = Repo(path)
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.commit("start", files or {"README.md": "hello\n"})
    return repo


def bare_remote(path: Path, seed: Repo) -> Path:
    """A bare repository with everything that `seed` has, set as its `origin`."""
    seed.git("clone", "--quiet", "--bare", str(seed.path), str(path))
    seed.git("remote", "add", "origin", str(path))
    return path


def plant_executables(home: Path, canary: Path) -> None:
    """A `~/.gitconfig` in `home` in which everything that can name a program touches `canary`."""
    hooks = home / "hooks"
    plant_hooks(hooks, canary)
    evil = f"touch {canary}; false"
    script = home / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\n")
    script.chmod(0o755)
    (home / "attributes").write_text("* diff=evil filter=evil merge=evil\n")
    (home / ".gitconfig").write_text(
        f"[core]\nhooksPath = {hooks}\nfsmonitor = {script}\nattributesFile = {home}/attributes\n"
        f"pager = {script}\n"
        f'[diff]\nexternal = {script}\n[diff "evil"]\ncommand = {script}\ntextconv = {script}\n'
        f'[filter "evil"]\nclean = "{evil}"\nsmudge = "{evil}"\n'
        f'[merge "evil"]\ndriver = "{evil}"\n'
    )


def plant_hooks(hooks: Path, canary: Path) -> None:
    """Every hook that a git process of ours could run, touching `canary`."""
    hooks.mkdir(parents=True, exist_ok=True)
    for name in (
        *("pre-push", "post-checkout", "reference-transaction", "post-update", "pre-receive"),
        *("update", "post-receive", "pre-auto-gc", "post-rewrite", "fsmonitor-watchman"),
    ):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (hooks / name).chmod(0o755)
