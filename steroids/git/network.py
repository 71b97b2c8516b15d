"""What a remote's failure means: it said no, or it did not answer."""

import re

from steroids.errors import GitError, RemoteUnreachable
from steroids.git.command import readable, without_password
from steroids.proc import Completed


class RemoteRefused(GitError):
    """The remote (or the way to it) said no: credentials, permission, no such repository."""

    code = "REMOTE_REFUSED"


# Everything else that goes wrong on the way may pass: names that do not resolve, refused or reset
# connections, time limits, 5xx, 429.
_NO = re.compile(
    r"authentication failed|could not read (username|password)|prompts disabled"
    r"|invalid (username|credentials|password)|permission denied|access denied"
    r"|not authori[sz]ed|unauthori[sz]ed|publickey|host key verification failed"
    r"|returned error: (400|401|403|404|407|410|413)|repository .*not found|repository not found"
    r"|does not appear to be a git repository|not a git repository|repository not exported"
    r"|dubious ownership|certificate problem|server certificate verification failed"
    r"|transport '.*' not allowed|is not a valid (repository|remote)|unable to find remote helper",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"^(Please make sure you have the correct access rights|and the repository exists\.).*$",
    re.MULTILINE,
)


def says_no(stderr: str) -> bool:
    """Whether trying again is of no use."""
    return _NO.search(stderr) is not None


def words(stderr: str) -> str:
    """What a failed network call printed, as one short line."""
    return readable(_BOILERPLATE.sub("", stderr))


def failure(what: str, url: str, done: Completed) -> GitError:
    """The error for a fetch or an ls-remote that failed: `RemoteRefused`, `RemoteUnreachable`."""
    shown = without_password(url)
    kind = RemoteRefused if says_no(done.err) else RemoteUnreachable
    said = words(done.err) or f"exit {done.returncode}"
    return kind(f"{what} {shown} failed: {said}", hint=f"git ls-remote {shown}")
