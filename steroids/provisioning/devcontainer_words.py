"""What stands in a devcontainer.json, read strictly: paths, commands, variables. Pure."""

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import Any

from steroids.errors import BadConfig

WORKSPACE = "/workspace"
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_FIXED = {
    "containerWorkspaceFolder": WORKSPACE,
    "containerWorkspaceFolderBasename": WORKSPACE.strip("/"),
    "localWorkspaceFolderBasename": WORKSPACE.strip("/"),
    "devcontainerId": "steroids",
}


class Words:
    """Reads values of one file; `notes` says afterwards what could not be done as it is written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[str] = []

    def bad(self, what: str, hint: str | None = None) -> BadConfig:
        return BadConfig(f"{self.name}: {what}", hint=hint)

    def text(self, tree: Mapping[str, Any], key: str) -> str | None:
        value = tree.get(key)
        if value is not None and not isinstance(value, str):
            raise self.bad(f"'{key}' is to be a text")
        return value or None

    def table(self, tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = tree.get(key) or {}
        if not isinstance(value, dict):
            raise self.bad(f"'{key}' has keys of its own below it")
        return value

    def path(self, key: str, path: str, relative_to: str) -> str:
        """As a path from the repository's root. Raises `BadConfig` for one that leaves it."""
        found = posixpath.normpath(posixpath.join(relative_to, path))
        if path.startswith("/") or found == ".." or found.startswith("../") or "\0" in path:
            raise self.bad(f"'{key}' leaves the repository: {path}")
        return "" if found == "." else found

    def commands(self, tree: Mapping[str, Any], key: str) -> list[str]:
        """A command, or named ones, each a line for the shell or a list of words."""
        value = tree.get(key)
        if value is None:
            return []
        given = list(value.values()) if isinstance(value, dict) else [value]
        found = []
        for each in given:
            if isinstance(each, list) and each and all(isinstance(word, str) for word in each):
                found.append(shlex.join(each))
            elif isinstance(each, str):
                found.append(each)
            else:
                raise self.bad(f"'{key}' is to be a command, a list of words, or a table of those")
        return [self.filled(key, command) for command in found if command.strip()]

    def variables(self, tree: Mapping[str, Any], key: str) -> dict[str, str]:
        """Names with their values. A value of null takes a variable away, which is nothing here."""
        found = {}
        for name, value in self.table(tree, key).items():
            if value is None:
                continue
            if not isinstance(value, str | int | float):
                raise self.bad(f"'{key}.{name}' is to be a text")
            plain = str(value).lower() if isinstance(value, bool) else str(value)
            found[name] = self.filled(f"{key}.{name}", plain)
        return found

    def filled(self, key: str, text: str) -> str:
        """With what stands for `${...}`; nothing of this host does."""

        def value(found: re.Match[str]) -> str:
            kind, _, rest = found[1].partition(":")
            if kind in _FIXED:
                return _FIXED[kind]
            if kind in ("localEnv", "env"):
                name, _, default = rest.partition(":")
                self.note(f"{key}: {name} is not read from this host's environment")
                return default
            if kind == "localWorkspaceFolder":
                self.note(f"{key}: there is no folder of the host")
                return ""
            # The shell's own, or the container's, which the caller knows about.
            return found[0]

        return _VARIABLE.sub(value, text)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
