"""One git process, run so that nothing but git itself executes.

Configuration, attributes and hooks can name programs. The mirror is only ever written by the
controller, but what the user has in `~/.gitconfig` or in the environment was not meant for it:
local calls see none of that. Network calls need the user's credentials and proxies, so they see
the user's configuration, without hooks and without ever asking a question.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from steroids import proc
from steroids.errors import DiskFull, GitError, RemoteUnreachable

LOCAL_TIMEOUT_S = 300.0
NETWORK_TIMEOUT_S = 600.0

_ALWAYS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "protocol.ext.allow": "never",
    "credential.interactive": "false",
    # Nothing may be pruned behind the back of a landing, nor a process left in the background.
    "gc.auto": "0",
    "maintenance.auto": "false",
    # Threads share the mirror: wait for each other's ref locks.
    "core.filesRefLockTimeout": "5000",
    "core.packedRefsTimeout": "10000",
    "fetch.recurseSubmodules": "false",
    "fetch.prune": "false",
    "fetch.pruneTags": "false",
    "fetch.writeCommitGraph": "false",
    "push.recurseSubmodules": "no",
    "push.followTags": "false",
    "push.gpgSign": "false",
}
_LOCAL = {"protocol.allow": "never", "protocol.file.allow": "always"}

# The variables of a user (or of a CI system) that carry credentials, proxies and certificates.
# All other GIT_* variables are dropped: GIT_DIR and its kin would redirect the call.
_USERS_VARIABLES = re.compile(
    r"GIT_(ASKPASS|SSH\w*|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)"
    r"|SSL_\w+|HTTP_\w+|PROXY_\w+)\Z"
)


_NO_SPACE = ("No space left on device", "Out of diskspace")


class GitDiskFull(DiskFull, GitError):
    """It could not write where the controller keeps its mirrors."""


class Git:
    """The git program on one git directory. May be shared by threads."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir

    def __call__(
        self,
        *args: str,
        stdin: bytes | IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        timeout_s: float | None = None,
        network: bool = False,
        check: bool = True,
    ) -> proc.Completed:
        """Run `git ARGS` to the end. `network=True` is for fetch, push and ls-remote alone.

        Raises `GitError` with git's own words when it fails, unless `check=False`;
        `RemoteUnreachable` when a network call, `GitError` when a local one outlasts `timeout_s`.
        """
        env = network_environment() if network else hardened_environment()
        if network and not {"GIT_SSH_COMMAND", "GIT_SSH"} & env.keys():
            # The variable would win over the user's core.sshCommand, so that is asked for.
            asked = run_git(("config", "--get", "core.sshCommand"), env=env, cwd=self.git_dir)
            env["GIT_SSH_COMMAND"] = asked.out or "ssh -o BatchMode=yes -o ConnectTimeout=20"
        return run_git(
            (f"--git-dir={self.git_dir}", *args),
            verb=args[0],
            env=env,
            cwd=self.git_dir,
            stdin=stdin,
            stdout=stdout,
            timeout_s=timeout_s,
            network=network,
            check=check,
        )


def run_git(
    args: tuple[str, ...],
    *,
    env: Mapping[str, str],
    cwd: Path,
    verb: str = "",
    stdin: bytes | IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    timeout_s: float | None = None,
    network: bool = False,
    check: bool = False,
) -> proc.Completed:
    """Run git in `cwd` with exactly this environment; raises as `Git` does."""
    settings = _ALWAYS if network else {**_ALWAYS, **_LOCAL}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    limit_s = timeout_s or (NETWORK_TIMEOUT_S if network else LOCAL_TIMEOUT_S)
    try:
        done = proc.run(
            ["git", *options, *args],
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            timeout_s=limit_s,
        )
    except (FileNotFoundError, NotADirectoryError):
        if not cwd.is_dir():
            raise GitError(f"The folder {cwd} is not there", hint=f"ls -ld {cwd}") from None
        raise GitError("The program git was not found", hint="apt-get install git") from None
    except proc.TimedOut:
        failure = RemoteUnreachable if network else GitError
        raise failure(f"git {verb} did not finish within {limit_s:g} s") from None
    if check and not done.ok and any(words in done.err for words in _NO_SPACE):
        raise GitDiskFull(f"git {verb} failed: {readable(done.err)}", hint=f"df -h {cwd}")
    if check and not done.ok:
        raise GitError(f"git {verb} failed: {readable(done.err) or f'exit {done.returncode}'}")
    return done


def hardened_environment() -> dict[str, str]:
    """For git on what the controller owns: neither the user's nor the system's configuration."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return env | {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def network_environment() -> dict[str, str]:
    """For git with the user's own configuration and credentials; never asks anything."""
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") or _USERS_VARIABLES.match(key)
    }
    return env | {
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def readable(text: str, max_chars: int = 400) -> str:
    """Git's or a remote's words on one line: no control characters, no passwords, cut."""
    lines = (re.sub(r"^(fatal|error):\s*", "", line.strip()) for line in text.splitlines())
    line = "; ".join(part for part in lines if part)
    line = without_password(line)
    return line if len(line) <= max_chars else line[: max_chars - 3] + "..."


def without_password(text: str) -> str:
    """A URL, or a line with URLs, as it may be shown. Over HTTP the user's name is a secret too."""
    text = "".join(c if c.isprintable() else " " for c in text)
    text = re.sub(r"(https?://)[^/@\s]+@", r"\1", text)
    return re.sub(r"(\w+://[^/@:\s]*):[^/@\s]*@", r"\1@", text)
