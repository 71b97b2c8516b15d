"""Cargo, Go, Bundler: what their programs download beforehand. The programs are the image's."""

import re
from collections.abc import Sequence

from steroids.provisioning.setups.ecosystem import Ecosystem, Reads, Step, written
from steroids.provisioning.setups.files import Files, above, at, join, matches, texts


def _cargo(files: Files) -> Sequence[Step]:
    found: dict[str, Step] = {}
    for folder in files.folders_with("Cargo.lock"):
        parents = [each for each in above(folder) if each in found and folder]
        covered = any(_in_cargo_workspace(files, each, folder) for each in parents)
        if files.has(folder, "Cargo.toml") and not covered:
            found[folder] = Step(folder, ("cargo fetch --locked",))
    return list(found.values())


def _in_cargo_workspace(files: Files, root: str, folder: str) -> bool:
    # Below a workspace's root Cargo takes every package for a member that is not excluded.
    workspace = at(files.toml(root, "Cargo.toml"), "workspace")
    if workspace is None:
        return False
    excluded = [glob for each in texts(at(workspace, "exclude")) for glob in (each, f"{each}/**")]
    return not matches(excluded, root, folder)


def _go(files: Files) -> Sequence[Step]:
    found: dict[str, Step] = {}
    used: set[str] = set()
    for folder in files.folders_with("go.work", "go.mod"):
        if files.has(folder, "go.work"):
            used |= {join(folder, each).rstrip("/") for each in _used(files, folder)}
        elif folder in used or files.has(folder, "vendor/modules.txt"):
            continue
        found[folder] = Step(folder, ("go mod download",))
    return list(found.values())


def _used(files: Files, folder: str) -> list[str]:
    """Folders that a go.work uses, relative to it."""
    text = re.sub(r"//.*", "", files.text(folder, "go.work"))
    blocks = re.findall(r"^use\s*\(([^)]*)\)", text, re.M)
    named = " ".join([*blocks, *re.findall(r"^use\s+([^\s(]+)", text, re.M)]).split()
    return [each.strip('"').removeprefix("./").removeprefix(".") for each in named]


def _bundler(files: Files) -> Sequence[Step]:
    folders = [each for each in files.folders_with("Gemfile.lock") if files.has(each, "Gemfile")]
    # In the agent's home: the image's own place for gems is root's to write.
    where = 'bundle config set --global path "$HOME/.local/share/gems"'
    frozen = "BUNDLE_FROZEN=true bundle install"
    return [Step(folder, (f"{where} && {frozen}",)) for folder in folders]


CARGO = Ecosystem(
    Reads(*written("Cargo.lock"), "rust-toolchain", "rust-toolchain.toml", ".cargo/"), _cargo
)
GO = Ecosystem(Reads(*written("go.sum"), "go.work", "go.work.sum"), _go)
BUNDLER = Ecosystem(
    Reads(*written("Gemfile.lock"), "*.gemspec", ".ruby-version", ".bundle/"), _bundler
)
