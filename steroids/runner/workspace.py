"""The workspace: bringing it to a commit, setting it up, collecting what was done in it.

Git always runs as the user `agent`. The repository is the agent's to write, so whatever its
configuration or hooks start has no more rights than the agent had anyway.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from steroids import proc
from steroids.agents import memory
from steroids.runner import marks
from steroids.runner.commands import run_as_agent
from steroids.runner.curfew import Curfew
from steroids.runner.failures import Broken, CommandFailed
from steroids.runner.part import PART, Part
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
)
"""What the repository's own configuration must not decide for the runner's own git commands."""

_ENV = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1"}

Fetch = Callable[[str, list[str], Path], bool]
"""Writes a bundle of the commits that lead to the first, from the others; False: nothing to."""


class Workspace:
    def __init__(self, path: Path, state: Path, uid: int | None, env: Mapping[str, str]) -> None:
        """`uid` is the agent's; None: the user that the runner itself is."""
        self.path = path
        self.uid = uid
        self.env = dict(env)
        self.part = Part(None)
        self.curfew = Curfew(uid)
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
        self.part = Part(checkout.sparse)
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

    def was_set_up(self, key: str | None) -> None:
        """Keep for which key it is set up now; None: it is in the middle of it."""
        if key is None:
            self._setup_key_file.unlink(missing_ok=True)
        else:
            self._setup_key_file.write_text(key)

    def forget_setup(self) -> None:
        """Back to the bare checkout. Raises `Broken`."""
        self.was_set_up(None)
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

        watch = memory.Watch()
        with self.curfew.endable():
            status = run_as_agent(command, self.path, self.uid, env, line, timeout_s)
        if status != 0 and (why := self.curfew.reason or watch.ran_out()):
            line(why)
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

    def look_at_all(self) -> None:
        """Have git look at all that is there, and at nothing else, whatever an agent told it.

        Raises `Broken`.
        """
        if not self.part.whole:
            marks.fit_to_files(self.git, self.part, self.path, widened=not self._write_part())

    def unlock(self, more: str = "true") -> None:
        """Remove the locks of a git that was killed; no other one may be at work here.

        Raises `Broken`.
        """
        locks = "find . -path ./objects -prune -o -name '*.lock' -type f -exec rm -f {} +"
        self.in_git_dir(f"{locks}; {more}")

    def in_git_dir(self, script: str, stdin: bytes | None = None) -> proc.Completed:
        """Run a line of shell where the repository is, which may be elsewhere than the files.

        Raises `Broken` when there is none.
        """
        where = self.git("rev-parse", "--absolute-git-dir").stdout.rstrip(b"\n")
        folder = where.decode("utf-8", "surrogateescape")
        argv = ("sh", "-c", f'cd "$1" && {{ {script}; }}', "sh", folder)
        try:
            return proc.run(
                argv,
                cwd=self.path,
                env=self.env,
                user=self.uid,
                stdin=stdin,
                timeout_s=GIT_TIMEOUT_S,
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
        given = (*GIT_OPTIONS, *self.part.options)
        options = [word for option in given for word in ("-c", option)]
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
        self.unlock("rm -rf rebase-merge rebase-apply info/sparse-checkout config.worktree")
        if not self.part.whole:
            self._write_part()
            for option in PART:
                # For what the agent does with git; the runner's own commands are told each time.
                self.git("config", *option.split("="))
        marks.remove_foreign(self.git, self.part)
        self.git("reset", "-q", "--hard", check=False)

    def _write_part(self) -> bool:
        """Into git's own list, by which its commands go; whether that is what it was."""
        patterns = self.part.patterns()
        folder = "[ -d info ] && [ ! -L info ] || { rm -rf info; mkdir info; }"
        swap = "cat info/sparse-checkout 2>/dev/null; rm -rf info/sparse-checkout"
        before = self.in_git_dir(f"{folder}; {swap}; cat >info/sparse-checkout", patterns)
        return before.stdout == patterns

    def _get(self, commit: str, fetch: Fetch, scratch: Path) -> None:
        if self.git("cat-file", "-e", f"{commit}^{{commit}}", check=False).ok:
            return
        heads = self.git("for-each-ref", "--format=%(objectname)").out.split()
        bundle = scratch / "in.bundle"
        if fetch(commit, sorted(set(heads)), bundle):
            bundle.chmod(0o644)
            # Not by a fetch, which would look through all history once more.
            self.git("bundle", "unbundle", str(bundle))
            self.git("update-ref", WANT, commit)
            bundle.unlink()


def identity(author: Author) -> dict[str, str]:
    """The author of what is committed, as git's environment."""
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": author.name,
        "GIT_COMMITTER_EMAIL": author.email,
    }
