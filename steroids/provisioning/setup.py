"""What makes a fresh checkout ready to work in, and the key under which that is kept."""

import functools
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steroids.git.mirror import Mirror
from steroids.provisioning.setups import compiled, node, python
from steroids.provisioning.setups.ecosystem import Ecosystem, Reads, Step
from steroids.provisioning.setups.files import Files, depth, join

ECOSYSTEMS: tuple[Ecosystem, ...] = (
    node.ECOSYSTEM,
    python.ECOSYSTEM,
    compiled.CARGO,
    compiled.GO,
    compiled.BUNDLER,
)

OTHERS = Reads(
    *("composer.json", "composer.lock", "mix.exs", "mix.lock", "deno.json", "deno.lock"),
    *("pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"),
    *("gradle.lockfile", "libs.versions.toml", "gradle-wrapper.properties", "environment.yml"),
    *("pubspec.yaml", "pubspec.lock", "Podfile", "Podfile.lock", "Package.swift"),
    *("Package.resolved", "flake.nix", "flake.lock", "pixi.toml", "pixi.lock"),
    *(".tool-versions", "mise.toml", ".mise.toml", "*.csproj", "packages.lock.json"),
)
"""What is found by nobody here, and read by commands that users give."""

VENV = ".venv"
MAX_READ_BYTES = 1 << 18
"""Of a manifest; of a lockfile the first lines say enough."""


@dataclass(frozen=True)
class Setup:
    commands: tuple[str, ...]
    key: str
    """Equal keys: a workspace set up for one commit is set up for the other as well."""
    venv: str = VENV
    """Where the Python environment is whose programs agents and checks are to find, if there is
    one: at the root, or in the one folder that has one."""


def setup_at(mirror: Mirror, commit: str, configured: Sequence[str] | None) -> Setup:
    """The set-up of that commit: the configured commands, else those its files ask for."""
    return _setup(mirror.path, commit, None if configured is None else tuple(configured))


@functools.lru_cache(maxsize=256)
def _setup(mirror: Path, commit: str, configured: tuple[str, ...] | None) -> Setup:
    # Kept in memory: every start and every claim asks, mostly about the same commit.
    blobs = Mirror(mirror).tree(commit)
    return find_setup(Files(blobs, lambda path: _text(mirror, blobs[path])), configured)


@functools.lru_cache(maxsize=512)
def _text(mirror: Path, blob: str) -> str | None:
    # By what it is, not where: the next commit mostly has the same. None: no file, a submodule.
    found = Mirror(mirror).git("cat-file", "blob", blob, check=False)
    return found.stdout[:MAX_READ_BYTES].decode("utf-8", "replace") if found.ok else None


def find_setup(files: Files, configured: Sequence[str] | None) -> Setup:
    """The same, pure."""
    if configured is not None:
        return _keyed(configured, _read_by_anything(files, configured) if configured else {})
    steps: list[Step] = []
    read: dict[str, str] = {}
    for ecosystem in ECOSYSTEMS:
        found = ecosystem.find(files)
        steps += found
        read |= ecosystem.read_by(found, files) if found else {}
    steps.sort(key=lambda step: (depth(step.folder), step.folder))
    commands = [command for step in steps for command in step.typed_at_root()]
    return _keyed(list(dict.fromkeys(commands)), read, _venv(steps))


def _venv(steps: Sequence[Step]) -> str:
    folders = [step.folder for step in steps if step.venv]
    return join(folders[0], VENV) if len(folders) == 1 else VENV


def _read_by_anything(files: Files, commands: Sequence[str]) -> dict[str, str]:
    """What commands that users give may read: all manifests, and the scripts that they name."""
    named = {word for command in commands for word in _words(command)}
    scripts = {word.removeprefix("./") for word in named}
    if "make" in named:
        scripts.add("Makefile")
    return {
        path: blob
        for path, blob in files.blobs.items()
        if path in scripts or read_by_some_setup(path)
    }


def read_by_some_setup(path: str) -> bool:
    """Whether it is a manifest, a lockfile, or else what a package manager goes by."""
    return any(path in reads for reads in _READ)


_READ = (*(each.reads for each in ECOSYSTEMS), OTHERS)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _keyed(commands: Sequence[str], read: Mapping[str, str], venv: str = VENV) -> Setup:
    facts = {"commands": list(commands), "files": dict(sorted(read.items()))}
    text = json.dumps(facts, sort_keys=True)
    key = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Setup(tuple(commands), key, venv)
