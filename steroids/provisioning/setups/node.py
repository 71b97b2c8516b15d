"""npm, pnpm, Yarn (the first and the later ones), Bun."""

import re
from collections.abc import Callable, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from steroids.provisioning.setups.ecosystem import (
    Ecosystem,
    Reads,
    Step,
    unless_there,
    written,
)
from steroids.provisioning.setups.files import Files, above, at, matches, texts

MANIFEST = "package.json"

LOCKFILES = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "npm-shrinkwrap.json": "npm",
    "package-lock.json": "npm",
}
"""Which program a lockfile is of. The first one counts where there are several and nothing says
which: npm's is made by whoever types `npm install` by habit."""

READS = Reads(
    *written("pnpm-lock.yaml", "yarn.lock", "package-lock.json", "npm-shrinkwrap.json"),
    *("bun.lock", "bun.lockb", "bunfig.toml"),
    *(".npmrc", ".nvmrc", ".node-version", ".yarnrc", ".yarnrc.yml", "binding.gyp"),
    *(".yarn/releases/", ".yarn/patches/", ".yarn/plugins/", "patches/"),
    *(".pnpmfile.cjs", ".pnpmfile.mjs", ".pnp.cjs"),
)

_NAMED = re.compile(r"(npm|pnpm|yarn|bun)@(\d+\.\d+\.\d+(?:-[\w.]+)?)(?:\+\S*)?")
"""`packageManager` in package.json; the hash of it is the registry's to keep."""


def find(files: Files) -> Sequence[Step]:
    """A step for each folder with a lockfile that no workspace above it covers."""
    found: dict[str, Step] = {}
    for folder in files.folders_with(*LOCKFILES):
        parents = [each for each in above(folder) if each in found and folder]
        if files.has(folder, MANIFEST) and not any(_covers(files, up, folder) for up in parents):
            found[folder] = Step(folder, _MANAGERS[_manager(files, folder)](files, folder))
    return list(found.values())


ECOSYSTEM = Ecosystem(READS, find)


def _manager(files: Files, folder: str) -> str:
    there = [program for name, program in LOCKFILES.items() if files.has(folder, name)]
    for where in (folder, *above(folder)):
        named = _named(files, where)
        if named is not None:
            return named[0] if named[0] in there else there[0]
    return there[0]


def _named(files: Files, folder: str) -> tuple[str, str] | None:
    """Program and version that a folder's package.json names."""
    field = files.json(folder, MANIFEST).get("packageManager")
    named = _NAMED.fullmatch(field) if isinstance(field, str) else None
    return (named[1], named[2]) if named else None


def _version(files: Files, folder: str, program: str, default: str) -> str:
    """What the nearest package.json that names a version says; else the default."""
    for where in (folder, *above(folder)):
        named = _named(files, where)
        if named is not None and named[0] == program:
            return named[1]
    return default


def _covers(files: Files, root: str, folder: str) -> bool:
    """Whether what is set up at `root` is for this folder, too."""
    said = at(files.json(root, MANIFEST), "workspaces")
    globs = texts(said) or texts(at(said, "packages") if isinstance(said, dict) else None)
    return matches([*globs, *_pnpm_globs(files, root)], root, folder)


def _pnpm_globs(files: Files, root: str) -> list[str]:
    try:
        found = YAML(typ="safe", pure=True).load(files.text(root, "pnpm-workspace.yaml"))
    except (YAMLError, ValueError):
        return []
    return texts(found.get("packages")) if isinstance(found, dict) else []


def _bring(program: str, package: str) -> str:
    # `--force`: one Yarn in place of the other. The registry is what the repository's .npmrc says,
    # which npm itself does not read for what is installed for all.
    options = '--global --force --prefix "$HOME/.local" --registry "$(npm config get registry)"'
    return unless_there(program, package, f"npm install {options} {package}")


def _npm(files: Files, folder: str) -> tuple[str, ...]:
    # Below a folder with a package.json npm may take that one for the place to work in.
    parent = any(files.has(each, MANIFEST) for each in above(folder) if folder)
    return ("npm ci --prefix ." if parent else "npm ci",)


def _pnpm(files: Files, folder: str) -> tuple[str, ...]:
    head = re.match(r"lockfileVersion:\s*'?(\d+)", files.text(folder, "pnpm-lock.yaml"))
    major = {"5": "7", "6": "8"}.get(head[1] if head else "", "10")
    version = _version(files, folder, "pnpm", major)
    apart = folder and any(files.has(each, "pnpm-workspace.yaml") for each in above(folder))
    install = "pnpm install --frozen-lockfile" + (" --ignore-workspace" if apart else "")
    return (_bring("pnpm", f"pnpm@{version}"), install)


def _yarn(files: Files, folder: str) -> tuple[str, ...]:
    berry = re.search(r"^__metadata:\s+version: (\d+)", files.text(folder, "yarn.lock"), re.M)
    version = _version(files, folder, "yarn", "" if berry else "1")
    if berry is None or version.startswith("1."):
        return (_bring("yarn", f"yarn@{version}"), "yarn install --frozen-lockfile")
    major = "3" if int(berry[1]) < 8 else "4"
    # This very program goes over to the one that `yarnPath` in .yarnrc.yml names.
    brought = _bring("yarn", f"@yarnpkg/cli-dist@{version or major}")
    return (brought, "yarn install --immutable")


def _bun(files: Files, folder: str) -> tuple[str, ...]:
    version = _version(files, folder, "bun", "1")
    return (_bring("bun", f"bun@{version}"), "bun install --frozen-lockfile")


_MANAGERS: dict[str, Callable[[Files, str], tuple[str, ...]]] = {
    "npm": _npm,
    "pnpm": _pnpm,
    "yarn": _yarn,
    "bun": _bun,
}
