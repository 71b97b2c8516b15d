"""The workspace: bringing it to a commit, setting it up, collecting what was done in it.

Git always runs as the user `agent`. The repository is the agent's to write, so whatever its
configuration or hooks start has no more rights than the agent had anyway.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from steroids import proc
from steroids.agents.process import OUTPUT_S, lines_of
from steroids.wire.assignment import Author, Checkout

BRANCH = "steroids"
WANT = "refs/steroids/want"
GIT_TIMEOUT_S = 600.0
GIT_OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "advice.detachedHead=false",
    "gc.auto=0",
    "commit.gpgSign=false",
    "core.sparseCheckout=false",
)
"""What the repository's own configuration must not decide for the runner's own git commands."""

_ENV = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1"}

Fetch = Callable[[str, list[str], Path], bool]
"""Writes a bundle of the commits that lead to the first, from the others; False: nothing to."""


class Broken(Exception):
    """The workspace's repository does not work any more; a fresh container is needed."""


class CommandFailed(Exception):
    def __init__(self, command: str, exit_code: int | None, tail: str) -> None:
        super().__init__(command)
        self.command, self.exit_code, self.tail = command, exit_code, tail


class Workspace:
    def __init__(self, path: Path, state: Path, uid: int | None, env: Mapping[str, str]) -> None:
        """`uid` is the agent's; None: the user that the runner itself is."""
        self.path = path
        self.uid = uid
        self.env = dict(env)
        self._setup_key_file = state / "setup-key"

    def check_out(self, checkout: Checkout, fetch: Fetch, scratch: Path) -> None:
        """Bring it to the commit, without a trace of earlier work but for ignored files.

        Raises `Broken`.
        """
        if not (self.path / ".git").exists():
            self.git("init", "-q", "-b", BRANCH)
            for key, value in (("core.checkStat", "minimal"), ("core.trustctime", "false")):
                # Else git would read every file again after the snapshot has been made.
                self.git("config", key, value)
        self._clear()
        self._get(checkout.commit, fetch, scratch)
        if checkout.squash is not None:
            self._get(checkout.squash, fetch, scratch)
        there = ("-q", "-f", "--ignore-other-worktrees")
        self.git("checkout", *there, "-B", BRANCH, checkout.commit)
        # Twice -f: repositories of their own among the files are traces, too.
        self.git("clean", "-f", "-f", "-d", "-q")
        if checkout.squash is not None:
            self._bring_in(checkout.squash)

    def needs_setup(self, checkout: Checkout) -> bool:
        """Whether it was not set up for this key yet."""
        file = self._setup_key_file
        return not file.exists() or file.read_text() != checkout.setup_key

    def set_up(
        self, checkout: Checkout, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Run the set-up unless it has been run for the same key. Raises `CommandFailed`."""
        if not self.needs_setup(checkout):
            return
        self._setup_key_file.unlink(missing_ok=True)
        for command in checkout.setup:
            say(f"$ {command}")
            self.shell(command, env, say, checkout.setup_timeout_s)
        self._setup_key_file.write_text(checkout.setup_key)

    def forget_setup(self) -> None:
        """Back to the bare checkout. Raises `Broken`."""
        self._setup_key_file.unlink(missing_ok=True)
        self.git("clean", "-ffdxq")

    def shell(
        self,
        command: str,
        env: Mapping[str, str],
        say: Callable[[str], None],
        timeout_s: float,
    ) -> str:
        """Run a command at the root of the workspace; returns the end of its output.

        Raises `CommandFailed`, without an exit code when it took too long.
        """
        tail: list[str] = []

        def line(text: str) -> None:
            tail.append(text)
            del tail[:-200]
            say(text)

        status = run_as_agent(("sh", "-c", command), self, env, line, timeout_s)
        text = "\n".join(tail)
        if status != 0:
            raise CommandFailed(command, status, text)
        return text

    def refs(self) -> dict[str, str]:
        """Local branches and the stash, each with its commit. Raises `Broken`."""
        shape = "--format=%(objectname) %(refname)"
        lines = self.git("for-each-ref", shape, "refs/heads", "refs/stash").out.splitlines()
        return {name: commit for commit, _, name in (line.partition(" ") for line in lines)}

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether `of` contains it."""
        return self.git("merge-base", "--is-ancestor", commit, of, check=False).ok

    def head(self) -> str:
        """Raises `Broken` also when there is no commit."""
        return self.git("rev-parse", "--verify", "HEAD^{commit}").out

    def bundle(self, base: str, tip: str, target: Path) -> bool:
        """Write what `tip` has on top of `base`; False when that is nothing. Raises `Broken`."""
        if not self.git("rev-list", "-n", "1", tip, f"^{base}").out:
            return False
        self.git("update-ref", f"refs/heads/{BRANCH}", tip)
        with target.open("wb") as file:
            made = self._run(
                "bundle", "create", "-q", "-", f"refs/heads/{BRANCH}", f"^{base}", stdout=file
            )
        if not made.ok:
            raise Broken(f"git bundle: {made.err[-500:]}")
        return True

    def unlock(self, more: str = "true") -> None:
        """Remove the locks of a git that was killed; no other one may be at work here.

        Raises `Broken`.
        """
        locks = "find . -path ./objects -prune -o -name '*.lock' -type f -exec rm -f {} +"
        self.in_git_dir(f"{locks}; {more}")

    def in_git_dir(self, script: str) -> proc.Completed:
        """Run a line of shell where the repository is, which may be elsewhere than the files.

        Raises `Broken` when there is none.
        """
        where = self.git("rev-parse", "--absolute-git-dir").stdout.rstrip(b"\n")
        folder = where.decode("utf-8", "surrogateescape")
        argv = ("sh", "-c", f'cd "$1" && {{ {script}; }}', "sh", folder)
        try:
            return proc.run(
                argv, cwd=self.path, env=self.env, user=self.uid, timeout_s=GIT_TIMEOUT_S
            )
        except (OSError, proc.TimedOut) as error:
            raise Broken(f"{folder}: {error}") from error

    def git(
        self,
        *args: str,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> proc.Completed:
        done = self._run(*args, env=env, stdin=stdin)
        if check and not done.ok:
            raise Broken(f"git {args[0]}: {done.err[-500:] or f'exited {done.returncode}'}")
        return done

    def _run(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        stdout: IO[bytes] | None = None,
    ) -> proc.Completed:
        options = [part for option in GIT_OPTIONS for part in ("-c", option)]
        try:
            return proc.run(
                ["git", *options, *args],
                cwd=self.path,
                env={**self.env, **_ENV, **(env or {})},
                user=self.uid,
                timeout_s=GIT_TIMEOUT_S,
                stdin=stdin,
                stdout=stdout,
            )
        except (OSError, proc.TimedOut) as error:
            raise Broken(f"git {args[0]}: {error}") from error

    def _bring_in(self, tip: str) -> None:
        """Merge `tip` into the files; what conflicts stays in them for the agent to solve."""
        # Git wants to know a committer even where it commits nothing.
        env = identity(Author(name="Steroids", email="steroids@localhost"))
        merged = self.git("merge", "--squash", "-q", tip, check=False, env=env)
        if merged.returncode not in (0, 1):
            raise Broken(f"git merge: {merged.err[-500:]}")

    def _clear(self) -> None:
        """Remove what an agent that was killed in the middle of a git command has left, and what
        it told git not to look at."""
        self.unlock("rm -rf rebase-merge rebase-apply info/sparse-checkout")
        listed = self.git("ls-files", "-v", "-z").stdout.split(b"\0")
        for flag, mark in (("--no-assume-unchanged", bytes.islower), ("--no-skip-worktree", _skip)):
            names = [line[2:] for line in listed if mark(line[:1])]
            if names:
                asked = b"".join(name + b"\0" for name in names)
                self.git("update-index", flag, "-z", "--stdin", stdin=asked)
        self.git("reset", "-q", "--hard", check=False)

    def _get(self, commit: str, fetch: Fetch, scratch: Path) -> None:
        if self.git("cat-file", "-e", f"{commit}^{{commit}}", check=False).ok:
            return
        heads = self.git("for-each-ref", "--format=%(objectname)").out.split()
        bundle = scratch / "in.bundle"
        if fetch(commit, sorted(set(heads)), bundle):
            bundle.chmod(0o644)
            self.git(
                "fetch", "-q", "--no-tags", "--no-write-fetch-head", str(bundle), f"+{WANT}:{WANT}"
            )
            bundle.unlink()


def _skip(mark: bytes) -> bool:
    return mark in (b"S", b"s")


def identity(author: Author) -> dict[str, str]:
    """The author of what is committed, as git's environment."""
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": author.name,
        "GIT_COMMITTER_EMAIL": author.email,
    }


def run_as_agent(
    argv: tuple[str, ...],
    workspace: Workspace,
    env: Mapping[str, str],
    line: Callable[[str], None],
    timeout_s: float,
) -> int | None:
    """Run to the end, each line of output to `line`; None when it took too long."""
    process = proc.spawn(
        argv,
        cwd=workspace.path,
        env=env,
        stdout=proc.PIPE,
        stderr=proc.STDOUT,
        user=workspace.uid,
    )
    assert process.stdout is not None
    late = threading.Event()

    def expire() -> None:
        late.set()
        proc.end_group(process, grace_s=5)

    def read(output: IO[bytes]) -> None:
        with output:
            for text in lines_of(output):
                line(text)

    timer = threading.Timer(timeout_s, expire)
    timer.start()
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        status = process.wait()
    finally:
        timer.cancel()
        proc.end_group(process)
        # Not for ever: what has left the group may hold the output open, and work on.
        reader.join(OUTPUT_S)
    return None if late.is_set() else status
