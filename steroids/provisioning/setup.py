"""What makes a fresh checkout ready to work in, and the key under which that is kept."""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steroids.git.mirror import Mirror

LOCKFILES: Mapping[str, str] = {
    "package-lock.json": "npm ci",
    "npm-shrinkwrap.json": "npm ci",
}
"""The set-up of a repository that has this file at its root and says nothing itself."""

READ_BY_SETUP = ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc", ".nvmrc")
"""Names of files, anywhere in the repository, that change what set-up does."""


@dataclass(frozen=True)
class Setup:
    commands: tuple[str, ...]
    key: str
    """Equal keys: a workspace set up for one commit is set up for the other as well."""


def setup_at(mirror: Mirror, commit: str, configured: Sequence[str] | None) -> Setup:
    """The set-up of that commit: the configured commands, else those its lockfile asks for."""
    return _setup(mirror.path, commit, None if configured is None else tuple(configured))


@functools.lru_cache(maxsize=256)
def _setup(mirror: Path, commit: str, configured: tuple[str, ...] | None) -> Setup:
    # Kept in memory: every start and every claim asks, mostly about the same commit.
    tree = Mirror(mirror).tree(commit)
    files = {path: blob for path, blob in tree.items() if path.split("/")[-1] in READ_BY_SETUP}
    commands = configured if configured is not None else _found(files)
    facts = {"commands": commands, "files": dict(sorted(files.items())) if commands else {}}
    text = json.dumps(facts, sort_keys=True)
    return Setup(commands, hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16])


def _found(files: Mapping[str, str]) -> tuple[str, ...]:
    return next(((command,) for name, command in LOCKFILES.items() if name in files), ())
