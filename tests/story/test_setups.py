"""Set-ups as they are found, with the real programs, in a container of the runner image.

One after the other in one container, as in a repository that has several: what an earlier one has
brought is there for the later ones, or has to be replaced.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from steroids.engines.base import Engine
from steroids.engines.spec import Handle
from steroids.provisioning.images import LATEST
from steroids.provisioning.lockfiles import command_for
from steroids.provisioning.setup import find_setup
from steroids.provisioning.setups.files import Files
from tests.support.engines import SESSION, TEST_LABEL, Lab, open_engine, promised
from tests.support.story import build_runner_image

NODE = (
    '{"name": "app", "version": "1.0.0", "private": true, "dependencies": {"is-number": "7.0.0"}}'
)
PACKAGE_MANAGER = NODE.replace('"private"', '"packageManager": "{}", "private"')
PYTHON = """\
[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["iniconfig==2.0.0"]
"""
# A file, since Poetry wants more of a registry than others do.
POETRY = """\
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
python = ">=3.11"
lib = { path = "lib/lib-1.0-py3-none-any.whl" }
"""
WHEEL = """\
import zipfile
with zipfile.ZipFile("lib/lib-1.0-py3-none-any.whl", "w") as file:
    def add(name, text):
        file.writestr(zipfile.ZipInfo(name), text)
    add("lib.py", "")
    add("lib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: lib\\nVersion: 1.0")
    add("lib-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any")
    add("lib-1.0.dist-info/RECORD", "")
"""
NUMBER = "node -e 'require(`is-number`)'"
INICONFIG = "import iniconfig"


@dataclass
class Place:
    """The container, and a folder in it for each case."""

    engine: Engine
    handle: Handle
    made: int = 0

    def folder(self, files: Mapping[str, str]) -> str:
        """A new workspace with these files."""
        self.made += 1
        folder = f"/workspace/{self.made}"
        lines = [f"mkdir {folder} && cd {folder} && git init --quiet ."]
        for path, content in files.items():
            lines.append(f"mkdir -p $(dirname {path}) && printf %s {shlex.quote(content)} > {path}")
        if "lib/wheel.py" in files:
            lines.append("python3 lib/wheel.py")
        self.run("/", "\n".join(lines))
        return folder

    def run(self, folder: str, command: str) -> str:
        """As the runner does for set-ups and agents."""
        env = "export HOME=/home/agent CI=true PATH=$PATH:/home/agent/.local/bin"
        argv = ("sh", "-c", f"{env}; cd {folder} && {{ {command}\n}}")
        done = self.engine.exec(self.handle, argv, user="1000")
        output = done.output.decode(errors="replace")
        assert done.exit_code == 0, f"{command}\n{output}"
        return output


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    name = "podman" if promised() == {"podman"} else "docker"
    engine = open_engine(name)
    try:
        build_runner_image(engine, tmp_path_factory)
        lab = Lab(engine, LATEST, {TEST_LABEL: SESSION})
        handle = lab.start("sleep 3600")
        try:
            yield Place(engine, handle)
        finally:
            engine.remove(handle)
    finally:
        engine.close()


def set_up(place: Place, folder: str, files: Mapping[str, str]) -> list[str]:
    """Run what is found; returns the commands."""
    commands = find_setup(Files(dict.fromkeys(files, ""), files.get), None).commands
    place.run(folder, " &&\n".join(f"({command}\n)" for command in commands))
    return list(commands)


@pytest.mark.parametrize(
    ("files", "lockfile", "version", "proof"),
    [
        ({"package.json": NODE}, "package-lock.json", "npm --version", NUMBER),
        ({"package.json": NODE}, "pnpm-lock.yaml", "pnpm --version | grep '^10\\.'", NUMBER),
        (
            {"package.json": '{"workspaces": ["apps/*"]}', "apps/x/package.json": NODE},
            "apps/x/package-lock.json",
            "! test -e node_modules",
            f"cd apps/x && {NUMBER}",
        ),
        ({"package.json": NODE}, "yarn.lock", "yarn --version | grep '^1\\.'", NUMBER),
        (
            {"package.json": NODE, ".yarnrc.yml": "nodeLinker: node-modules\n"},
            "yarn.lock berry",
            "yarn --version | grep '^4\\.'",
            NUMBER,
        ),
        (
            {"package.json": PACKAGE_MANAGER.replace("{}", "yarn@3.8.7")},
            "yarn.lock berry",
            "yarn --version | grep -x 3.8.7",
            f"yarn {NUMBER}",
        ),
        ({"package.json": NODE}, "bun.lock", "bun --version | grep '^1\\.'", NUMBER),
        (
            {"pyproject.toml": PYTHON},
            "uv.lock",
            "uv --version",
            f".venv/bin/python -c '{INICONFIG}' && uv run --offline python -c '{INICONFIG}'",
        ),
        (
            {"pyproject.toml": POETRY, "lib/wheel.py": WHEEL},
            "poetry.lock",
            "poetry --version | grep 'version 2'",
            ".venv/bin/python -c 'import lib' && poetry run python -c 'import lib'",
        ),
        (
            {"requirements.txt": "iniconfig==2.0.0\n", "requirements-dev.txt": "wheel\n"},
            None,
            "python3 --version",
            f".venv/bin/python -c '{INICONFIG}, wheel' && ! git status --porcelain | grep venv",
        ),
        (
            {
                "pyproject.toml": f"{PYTHON}[project.optional-dependencies]\ntest = ['wheel']\n"
                "[build-system]\nrequires = ['setuptools']\n"
                "build-backend = 'setuptools.build_meta'\n",
                "app/__init__.py": "",
            },
            None,
            "python3 --version",
            f"cd / && /workspace/*/.venv/bin/python -c '{INICONFIG}, wheel, app'",
        ),
    ],
    ids=[
        *("npm", "pnpm", "npm-below", "yarn-1", "yarn-4", "yarn-3-pnp", "bun"),
        *("uv", "poetry", "pip", "package"),
    ],
)
def test_what_is_found_sets_up(
    place: Place, files: dict[str, str], lockfile: str | None, version: str, proof: str
) -> None:
    folder = place.folder(files)
    if lockfile:
        files = {**files, **locked(place, folder, files, lockfile)}
    folder = place.folder(files)
    commands = set_up(place, folder, files)
    proof = proof.replace("/workspace/*", folder)
    place.run(folder, f"{version} && {proof}")
    if "package.json" not in files:
        # Again, as after a change, in the workspace as it is, where an environment is already.
        assert set_up(place, folder, files) == commands
        place.run(folder, proof)


STUBS = {
    "package-lock.json": "{}",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "yarn.lock berry": "__metadata:\n  version: 8\n",
}


def locked(place: Place, folder: str, files: Mapping[str, str], lockfile: str) -> dict[str, str]:
    """The lockfile as its program writes it, which set-up has brought."""
    path, stub = lockfile.split()[0], STUBS.get(lockfile, "")
    found = find_setup(Files(dict.fromkeys([*files, path], ""), {**files, path: stub}.get), None)
    lines = [command for command in found.commands if "command -v" in command]
    if stub.startswith("__"):
        lines.append(f"printf %s {shlex.quote(stub)} > {path}")
    write = "bun install --lockfile-only" if path == "bun.lock" else command_for(path, stub)
    lines.append(write)
    place.run(folder, " &&\n".join(f"{{ {line}\n}}" for line in lines))
    return {path: place.run(folder, f"cat {path}")}
