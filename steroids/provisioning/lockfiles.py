"""Lockfiles: which program writes them, from what, and whether what it wrote is one.

Pure. A kind is here only when its program can write the file without installing anything, or at
least without running anything of the packages, and keeps the versions that the file has.
"""

import json
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Kind:
    manifests: frozenset[str]
    """Names of the files that it is written from."""
    command: Callable[[str], str]
    """What writes it, in its folder; gets the content that is there now."""
    sound: Callable[[str], bool]
    """Whether a text may be such a file: what is cheap to see."""
    beside: tuple[str, ...] = ()
    """What the same command may write in the same folder."""


def _always(command: str) -> Callable[[str], str]:
    return lambda content: command


def _npm(content: str) -> bool:
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and "lockfileVersion" in found


def _toml(content: str) -> bool:
    try:
        return bool(tomllib.loads(content))
    except tomllib.TOMLDecodeError:
        return False


def _sums(content: str) -> bool:
    return all(len(line.split()) == 3 for line in content.splitlines())


def _yarn(content: str) -> str:
    if "__metadata:" in content:
        # Yarn takes CI=true for a wish that nothing be written.
        return "YARN_ENABLE_IMMUTABLE_INSTALLS=false yarn install --mode=update-lockfile"
    # The first Yarn has no way to write the file alone.
    return "yarn install --ignore-scripts --non-interactive"


# `--prefix`: in a folder below a workspace's root npm would write the root's file.
_NPM = "npm install --prefix . --package-lock-only --ignore-scripts --no-audit --no-fund"
# Poetry 2 lost the option, which is what it does by itself now.
_POETRY = (
    "if poetry lock --help | grep -q -- --no-update; "
    "then poetry lock --no-update --no-interaction; else poetry lock --no-interaction; fi"
)
_PACKAGE_JSON = frozenset({"package.json"})

KINDS: Mapping[str, Kind] = {
    "package-lock.json": Kind(_PACKAGE_JSON, _always(_NPM), _npm),
    "npm-shrinkwrap.json": Kind(_PACKAGE_JSON, _always(_NPM), _npm),
    "pnpm-lock.yaml": Kind(
        _PACKAGE_JSON | {"pnpm-workspace.yaml"},
        # Frozen is what CI=true stands for, here too.
        _always("pnpm install --lockfile-only --no-frozen-lockfile --ignore-scripts"),
        lambda content: content.startswith("lockfileVersion"),
    ),
    "yarn.lock": Kind(_PACKAGE_JSON, _yarn, bool),
    "Cargo.lock": Kind(frozenset({"Cargo.toml"}), _always("cargo update --workspace"), _toml),
    "uv.lock": Kind(frozenset({"pyproject.toml"}), _always("uv lock"), _toml),
    "poetry.lock": Kind(frozenset({"pyproject.toml"}), _always(_POETRY), _toml),
    "Gemfile.lock": Kind(frozenset({"Gemfile"}), _always("bundle lock"), bool),
    "go.sum": Kind(frozenset({"go.mod"}), _always("go mod tidy"), _sums, beside=("go.mod",)),
}
"""By the file's name."""

REGENERATED = frozenset(KINDS)


def kind_of(path: str) -> Kind:
    """Of a path whose name is in `REGENERATED`."""
    return KINDS[PurePosixPath(path).name]


def command_for(path: str, content: str) -> str:
    """What writes the lockfile at `path` again, typed at the root of the workspace."""
    folder, command = PurePosixPath(path).parent, kind_of(path).command(content)
    return command if folder == PurePosixPath() else f"cd {shlex.quote(str(folder))} && {command}"


def written_from(path: str, changed: Sequence[str]) -> list[str]:
    """Those of the changed files that the lockfile at `path` is written from: its folder's
    manifest, and those below, which may be packages of its workspace."""
    folder, manifests = PurePosixPath(path).parent, kind_of(path).manifests
    files = (PurePosixPath(each) for each in changed)
    return [str(each) for each in files if each.name in manifests and folder in each.parents]


def files_of(paths: Sequence[str]) -> dict[str, str]:
    """What may come of writing these again: path of a file, and of the lockfile it comes with."""
    found = {path: path for path in paths}
    for path in paths:
        for name in kind_of(path).beside:
            found.setdefault(str(PurePosixPath(path).parent / name), path)
    return found
