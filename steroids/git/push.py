"""Pushing to the user's remote, never with force, and asking it what it has."""

import re

from steroids.errors import GitError, PushRefused, RemoteUnreachable
from steroids.git import network
from steroids.git.command import readable, without_password
from steroids.git.mirror import Mirror
from steroids.git.refs import checked_branch, is_hash
from steroids.proc import Completed


class NonFastForward(GitError):
    """The branch moved (or moves right now): fetch, rebase, and push again."""

    code, http_status = "NON_FAST_FORWARD", 409


class HookDeclined(PushRefused):
    """A hook said no: perhaps to one commit of several, and not to the others."""


# The local git's own refusals, and what a receiving git says when another push was faster.
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref"
    r"|incorrect old value|reference already exists|already exists",
    re.IGNORECASE,
)
_CANNOT_WRITE = re.compile(
    r"permission denied|read-only file|no space left|cannot create", re.IGNORECASE
)
# What hosts say through hooks about a branch, whoever pushes what.
_OF_THE_BRANCH = re.compile(
    r"protected branch|not allowed to (push|force)|denied to|must be made through a pull request",
    re.IGNORECASE,
)
_TROUBLE = re.compile(r"internal (server )?error|time[d]?[ -]?out|try again", re.IGNORECASE)


# A user may have allowed pushes to what is checked out; their work trees are not ours to change.
_RECEIVE = "git -c receive.denyCurrentBranch=refuse receive-pack"


def push(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool = False) -> None:
    """Make the remote's branch point at `commit`; done already is fine.

    `local`: `url` is the folder of the user's own repository, where a branch that is checked out
    is refused, whatever is configured there.

    Raises `NonFastForward` (it moved), `PushRefused` (no use to try again), of that kind
    `HookDeclined`, `RemoteUnreachable` (worth another try; the push may even have worked, so ask
    `remote_contains`).
    """
    # A "+" in front of it would be a force.
    if not is_hash(commit):
        raise GitError(f"Only a commit's full hash can be pushed, not {commit!r}")
    refspec = f"{commit}:refs/heads/{checked_branch(branch)}"
    options = ["--porcelain", "--no-verify", "--no-force"]
    if local:
        options.append(f"--receive-pack={_RECEIVE}")
    done = mirror.git("push", *options, "--", url, refspec, network=True, check=False)
    if not done.ok:
        raise _judged(done, url, branch)


def remote_tip(url: str, branch: str, mirror: Mirror) -> str | None:
    """Where the remote's branch is now, or None without such a branch.

    Raises `RemoteUnreachable`, `RemoteRefused`.
    """
    ref = f"refs/heads/{checked_branch(branch)}"
    done = mirror.git("ls-remote", "--quiet", "--", url, ref, network=True, check=False)
    if not done.ok:
        raise network.failure("Asking", url, done)
    # The pattern also fits refs that merely end in it.
    pairs = (line.split("\t", 1) for line in done.out.splitlines())
    return next((hash for hash, name in pairs if name == ref), None)


def remote_contains(mirror: Mirror, url: str, branch: str, commit: str) -> bool:
    """Whether the remote's branch has `commit` now, by asking it and fetching what is new."""
    tip = remote_tip(url, branch, mirror)
    if tip is None or tip == commit:
        return tip is not None
    if mirror.resolve(tip) is None:
        tip = mirror.fetch(url, branch)
    return mirror.resolve(commit) is not None and mirror.is_ancestor(commit, tip)


def _judged(done: Completed, url: str, branch: str) -> GitError:
    """The error that a failed push means."""
    shown = without_password(url)
    verdict = next((line for line in done.out.splitlines() if line.startswith("!")), None)
    if verdict is None:
        said = network.words(done.err) or f"exit {done.returncode}"
        message = f"Pushing to {shown} failed: {said}"
        kind = PushRefused if network.says_no(done.err) else RemoteUnreachable
        return kind(message, hint=f"git ls-remote {shown}")
    # "!\t<from>:<to>\t[remote rejected] (why)"
    reason = readable(verdict.split("\t")[-1], max_chars=200)
    if _MOVED.search(reason) and not _CANNOT_WRITE.search(done.err):
        return NonFastForward(f"{branch} at {shown} moved meanwhile: {reason}")
    why = re.sub(r"^\[[^]]*\] \((.*)\)$", r"\1", reason)
    said = _remotes_words(done.err)
    message = f"{shown} refused the push to {branch}: {why}" + (f": {said}" if said else "")
    if _TROUBLE.search(why):
        return RemoteUnreachable(message, hint=f"git ls-remote {shown}")
    of_commits = "hook declined" in why and not _OF_THE_BRANCH.search(message)
    kind = HookDeclined if of_commits else PushRefused
    return kind(message, hint=f"let the remote allow it ({branch}), then: steroids push")


def _remotes_words(stderr: str) -> str:
    lines = (line for line in stderr.splitlines() if line.startswith("remote:"))
    return readable("\n".join(line.removeprefix("remote:") for line in lines))
