"""The commands that write lockfiles again, with the real programs where the machine has them."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from steroids.provisioning.lockfiles import command_for, kind_of


def write(root: Path, **files: Any) -> None:
    """By path, `__` for `/` and `_` for `.`: texts, or what is written as JSON."""
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def again(root: Path, lockfile: str, program: str) -> str:
    """Its content after the command has run, at the root, as in a runner's container."""
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    before = (root / lockfile).read_text()
    # A crate's folder of its own, so that nothing is downloaded.
    env = {**os.environ, "CI": "true", "CARGO_NET_OFFLINE": "true", "npm_config_offline": "true"}
    command = command_for(lockfile, before)
    done = subprocess.run(["sh", "-c", command], cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (root / lockfile).read_text()
    assert text != before and kind_of(lockfile).sound(text)
    return text


def npm_lock(name: str) -> dict[str, Any]:
    own = {"name": name, "version": "1.0.0"}
    return {**own, "lockfileVersion": 3, "requires": True, "packages": {"": own}}


def npm_package(name: str, *needs: str) -> dict[str, Any]:
    needed = {each.rsplit("/", 1)[-1]: f"file:{each}" for each in needs}
    return {"name": name, "version": "1.0.0", "dependencies": needed}


@pytest.mark.parametrize("lockfile", ["package-lock.json", "npm-shrinkwrap.json"])
def test_npm_writes_the_file_alone(tmp_path: Path, lockfile: str) -> None:
    write(tmp_path, package_json=npm_package("app", "dep"), dep__package_json=npm_package("dep"))
    (tmp_path / lockfile).write_text(json.dumps(npm_lock("app")))
    assert "node_modules/dep" in json.loads(again(tmp_path, lockfile, "npm"))["packages"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["dep", lockfile, "package.json"]
    )


def test_npm_below_a_workspaces_root_leaves_the_roots_file_alone(tmp_path: Path) -> None:
    root = {"name": "root", "private": True, "workspaces": ["apps/*"]}
    write(
        tmp_path,
        package_json=root,
        **{"package-lock.json": npm_lock("root"), "apps__x__package-lock.json": npm_lock("x")},
        apps__x__package_json=npm_package("x", "../../lib/dep"),
        lib__dep__package_json=npm_package("dep"),
    )
    before = (tmp_path / "package-lock.json").read_text()
    text = again(tmp_path, "apps/x/package-lock.json", "npm")
    assert "node_modules/dep" in json.loads(text)["packages"]
    assert (tmp_path / "package-lock.json").read_text() == before


def test_cargo_adds_what_the_manifests_say(tmp_path: Path) -> None:
    crate = '[package]\nname = "{0}"\nversion = "0.1.0"\nedition = "2021"\n'
    write(
        tmp_path,
        Cargo_toml='[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n',
        Cargo_lock=(
            "version = 3\n\n[[package]]\nname = 'a'\nversion = '0.1.0'\n"
            "\n[[package]]\nname = 'b'\nversion = '0.1.0'\n"
        ),
        a__Cargo_toml=crate.format("a"),
        b__Cargo_toml=crate.format("b") + '[dependencies]\na = { path = "../a" }\n',
        a__src__lib_rs="",
        b__src__lib_rs="",
    )
    assert 'dependencies = [\n "a",\n]' in again(tmp_path, "Cargo.lock", "cargo")
