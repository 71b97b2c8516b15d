"""Names and hashes that come from outside, checked before git sees them."""

import re

from steroids.errors import GitError

OWN = "refs/steroids/"
"""Where the mirror's refs live; nothing is ever written outside."""

ZERO = "0" * 40
"""As the expected value of a ref: it must not exist."""

_HASH = re.compile(r"[0-9a-f]{40}\Z")
# The rules of `git check-ref-format`.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|\Z)|\.\Z|/\Z|\A[/.-]")


def is_hash(text: str) -> bool:
    """Whether it is a full SHA-1 hash in lower case, the only form that is stored."""
    return _HASH.match(text) is not None


def checked_branch(branch: str) -> str:
    """The branch's name unchanged. Raises `GitError` when git would not allow such a name."""
    if not branch or branch == "@" or _FORBIDDEN.search(branch):
        raise GitError(f"Not a branch name: {branch!r}", hint="git branch --list")
    return branch


def checked_own(ref: str) -> str:
    """The ref unchanged. Raises `GitError` unless it is well-formed, under `refs/steroids/`."""
    if not ref.startswith(OWN) or _FORBIDDEN.search(ref):
        raise GitError(f"Not a ref that may be written in the mirror: {ref!r}")
    return ref


def checked_rev(rev: str) -> str:
    """The revision unchanged. Raises `GitError` when git would read it as an option or a range."""
    if not rev or rev.startswith(("-", "^")) or ".." in rev or any(ord(c) < 32 for c in rev):
        raise GitError(f"Not a revision: {rev!r}")
    return rev
