"""Which program writes which lockfile, and what counts as one."""

import pytest

from steroids.provisioning.lockfiles import (
    KINDS,
    command_for,
    files_of,
    kind_of,
    written_from,
)

BERRY = "__metadata:\n  version: 8\n"


@pytest.mark.parametrize(
    ("path", "content", "command"),
    [
        ("package-lock.json", "", "npm install --prefix . --package-lock-only"),
        ("apps/my app/package-lock.json", "", "cd 'apps/my app' && npm install --prefix ."),
        ("pnpm-lock.yaml", "", "pnpm install --lockfile-only --no-frozen-lockfile"),
        ("yarn.lock", "# yarn lockfile v1\n", "yarn install --ignore-scripts"),
        ("yarn.lock", BERRY, "YARN_ENABLE_IMMUTABLE_INSTALLS=false yarn install --mode=update-"),
        ("core/Cargo.lock", "", "cd core && cargo update --workspace"),
    ],
)
def test_commands_run_in_the_lockfiles_folder(path: str, content: str, command: str) -> None:
    assert command_for(path, content).startswith(command)


def test_a_lockfile_is_written_from_the_manifests_in_its_folder_and_below() -> None:
    changed = ["package.json", "apps/x/package.json", "apps/y/package.json", "apps/x/src/a.js"]
    assert written_from("package-lock.json", changed) == changed[:3]
    assert written_from("apps/x/package-lock.json", changed) == ["apps/x/package.json"]
    assert written_from("apps/z/package-lock.json", changed) == []
    assert written_from("Cargo.lock", changed) == []


def test_what_a_command_writes_beside_comes_with_it() -> None:
    assert files_of(["a/go.sum", "uv.lock"]) == {
        "a/go.sum": "a/go.sum",
        "uv.lock": "uv.lock",
        "a/go.mod": "a/go.sum",
    }


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("package-lock.json", '{"lockfileVersion": 3}', '{"lockfileVersion": 3'),
        ("package-lock.json", '{"lockfileVersion": 3}', "[]"),
        ("Cargo.lock", "version = 3\n", "<<<<<<< ours\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n", "oops\n"),
        ("yarn.lock", BERRY, ""),
        ("go.sum", "example.org/x v1.0.0 h1:abc=\n", "<<<<<<< ours\n"),
    ],
)
def test_what_is_no_lockfile_is_seen(name: str, good: str, bad: str) -> None:
    assert kind_of(f"x/{name}").sound(good) and not kind_of(name).sound(bad)


def test_every_kind_has_manifests() -> None:
    assert all(kind.manifests for kind in KINDS.values())
