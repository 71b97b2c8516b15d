"""What an ecosystem says: where it is set up and how, and what that depends on."""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from steroids.provisioning.lockfiles import KINDS
from steroids.provisioning.setups.files import Files, above, glob_pattern


def _last_line_after(there: str, command: str) -> str:
    comment, end, line = command.rpartition("\n")
    return f"{comment}{end}{there}{line}"


@dataclass(frozen=True)
class Step:
    """Commands that set a folder up, typed there."""

    folder: str
    """Relative to the root, which is an empty text."""
    commands: tuple[str, ...]
    venv: bool = False
    """Whether it makes a `.venv` in the folder."""

    def typed_at_root(self) -> list[str]:
        if not self.folder:
            return list(self.commands)
        there = f"cd {shlex.quote(self.folder)} && "
        return [_last_line_after(there, command) for command in self.commands]


class Reads:
    """Names of files (`*` is anything), and of folders (with a `/` at the end), wherever they
    are: what can change what a set-up does. Asked about every file of a repository."""

    def __init__(self, *globs: str) -> None:
        names = [glob for glob in globs if not glob.endswith("/")]
        self._names = frozenset(name for name in names if "*" not in name)
        wild = [glob_pattern(name).pattern for name in names if "*" in name]
        self._wild = re.compile("|".join(wild) or r"(?!)")
        self._folders = tuple(f"/{glob}" for glob in globs if glob.endswith("/"))

    def __contains__(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return (
            name in self._names
            or self._wild.fullmatch(name) is not None
            or any(folder in f"/{path}" for folder in self._folders)
        )


@dataclass(frozen=True)
class Ecosystem:
    reads: Reads
    find: Callable[[Files], Sequence[Step]]

    def read_by(self, steps: Sequence[Step], files: Files) -> dict[str, str]:
        """The files, with their hashes, that can change what these steps do: in the folder of
        one, below it, or in a folder above, where programs look for their configuration."""
        found = {path: blob for path, blob in files.blobs.items() if path in self.reads}
        return {path: blob for path, blob in found.items() if _near(path, steps)}


def _near(path: str, steps: Sequence[Step]) -> bool:
    folder = path.rpartition("/")[0]
    return any(
        folder == step.folder or step.folder in above(folder) or folder in above(step.folder)
        for step in steps
    )


def written(*lockfiles: str) -> list[str]:
    """Names of these lockfiles and of what they are written from and with."""
    kinds = [(name, KINDS[name]) for name in lockfiles]
    return [each for name, kind in kinds for each in (name, *kind.manifests, *kind.beside)]


def unless_there(program: str, package: str, install: str) -> str:
    """Shell that installs a program into the agent's home, unless the image has it.

    One that an earlier set-up has installed does not count: it may be another version. The first
    line is what people see of it.
    """
    return f'# install {package}\ncommand -v {program} | grep -v "^$HOME/" || {install}'
