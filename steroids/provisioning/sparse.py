"""Which files a section's workspace has, where it does not have all of them."""

import functools
import hashlib
import posixpath
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from steroids.git.mirror import Mirror
from steroids.provisioning.setup import read_by_some_setup
from steroids.scheduling.globs import fixed
from steroids.wire.assignment import Sparse

CRATE = ("src/lib.rs", "src/main.rs")
"""Cargo reads no manifest whose crate has neither."""


@dataclass(frozen=True)
class Reads:
    """What a section's runner reads."""

    globs: tuple[str, ...]
    """Of its own files, and those of its dependencies."""
    checks: tuple[str, ...] = ()
    """Commands: the files and folders that they name are read, too."""
    setup: tuple[str, ...] = ()
    """Commands that were given: the files that they name. Not the folders: a set-up goes to each
    that has a manifest."""


def sparse_for(
    mirror: Mirror, commit: str, reads: Reads | None, wanted: bool, changed: Iterable[str] = ()
) -> Sparse | None:
    """What of `commit` to check out for whoever works on, or reads, that.

    Whole folders, the fixed part of each glob; and files, those that a set-up may read and those
    that the work so far has `changed`. None: everything, since nothing else is `wanted`, or one
    of the globs can match anywhere.
    """
    if not wanted or reads is None:
        return None
    folders = _folders(mirror.path, commit, reads)
    if folders is None:
        return None
    files = {*_manifests(mirror.path, commit), *changed}
    outside = (path for path in files if "/" in path and not _below(path, folders))
    return Sparse(folders=list(folders), files=sorted(outside))


def key_of(setup_key: str, sparse: Sparse | None) -> str:
    """The key of a set-up of those files: another folder may be what its commands work on."""
    if sparse is None:
        return setup_key
    return f"{setup_key}-{hashlib.sha256(chr(0).join(sparse.folders).encode()).hexdigest()[:8]}"


def prefixes(paths: Sequence[str], files: Iterable[str]) -> tuple[str, ...] | None:
    """Folders (or single files) that have all that the globs match; None: the whole repository.

    What a glob finds at any depth (`docs`) is looked for among the `files`. Pure.
    """
    found: set[str] = set()
    for glob in paths:
        rooted, names = fixed(glob)
        if not names:
            return None
        if rooted:
            found.add("/".join(names))
        else:
            found.update(_anywhere(names, files))
    return tuple(sorted(path for path in found if not _below(path, found - {path})))


def _anywhere(names: tuple[str, ...], files: Iterable[str]) -> Iterable[str]:
    long = len(names)
    for file in files:
        parts = tuple(file.split("/"))
        for end in range(long, len(parts) + 1):
            if parts[end - long : end] == names:
                yield "/".join(parts[:end])
                break


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


# Kept in memory, as set-ups are: every claim asks, mostly about the same commit.
@functools.lru_cache(maxsize=256)
def _folders(mirror: Path, commit: str, reads: Reads) -> tuple[str, ...] | None:
    files = Mirror(mirror).tree(commit)
    found = prefixes(reads.globs, files)
    if found is None:
        return None
    scripts = named(reads.setup, files) & files.keys()
    every = {*found, *named(reads.checks, files), *scripts}
    return tuple(sorted(path for path in every if not _below(path, every - {path})))


def named(commands: Iterable[str], files: Collection[str]) -> set[str]:
    """Files, and folders with files in them, that words of the commands name. Pure."""
    words = {posixpath.normpath(word) for command in commands for word in _words(command)}
    folders = {folder for file in files for folder in _parents(file)}
    return {word for word in words if word in folders or (word in files and "/" in word)}


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _parents(file: str) -> Iterable[str]:
    while file := file.rpartition("/")[0]:
        yield file


@functools.lru_cache(maxsize=64)
def _manifests(mirror: Path, commit: str) -> tuple[str, ...]:
    tree = Mirror(mirror).tree(commit)
    found = {path for path in tree if read_by_some_setup(path)}
    for path in [each for each in found if each.endswith("/Cargo.toml")]:
        found.update(
            crate for name in CRATE if (crate := path[: -len("Cargo.toml")] + name) in tree
        )
    return tuple(sorted(found))
