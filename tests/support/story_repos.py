"""What stories work on: an npm-workspaces monorepo, and a plain one that needs no set-up."""

import json
from itertools import groupby
from pathlib import Path

from tests.support.repos import Repo, bare_remote, new_repo

APPS = ("api", "mobile")
# Without a registry's host in it: whatever registry npm is configured with serves the test.
IS_NUMBER = {
    "version": "7.0.0",
    "integrity": "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZ"
    "WZUBlbGXYxxng==",
}
TEST = """\
const test = require("node:test"), assert = require("node:assert");
const isNumber = require("is-number"), { area } = require("./index.js");
test("area", () => { assert.ok(isNumber(area(2, 3))); assert.equal(area(2, 3), 6); });
"""


def npm_monorepo(path: Path) -> Repo:
    """Two apps with a real dependency and a real test each."""
    files: dict[str | bytes, str | bytes | None] = {
        ".gitignore": "node_modules\n",
        "package.json": _json({"name": "example", "private": True, "workspaces": ["apps/*"]}),
        "package-lock.json": _json(_lock()),
    }
    for app in APPS:
        files |= {
            f"apps/{app}/package.json": _json(
                {
                    "name": f"@example/{app}",
                    "version": "1.0.0",
                    "scripts": {"test": "node --test"},
                    "dependencies": {"is-number": "7.0.0"},
                }
            ),
            f"apps/{app}/index.js": "exports.area = (a, b) => a * b;\n",
            f"apps/{app}/index.test.js": TEST,
        }
    return new_repo(path, files)


def plain_monorepo(path: Path, folders: str = "abcd") -> Repo:
    """A few folders; nothing to set up, so that its snapshot costs next to nothing."""
    return new_repo(path, {f"apps/{name}/README.md": f"{name}\n" for name in folders})


def with_origin(path: Path, repo: Repo) -> "Origin":
    """A bare `origin` that writes down where its branches have been."""
    origin = Origin(bare_remote(path, repo))
    repo.git("push", "--quiet", "--set-upstream", "origin", "main")
    origin.git("config", "core.logAllRefUpdates", "true")
    # Written with the first update from now on; until then there is nothing to log.
    return origin


class Origin(Repo):
    """The remote that everybody pushes to."""

    def tip(self) -> str:
        return self.git("rev-parse", "refs/heads/main")

    def show(self, path: str) -> str:
        """A file's content on main."""
        return self.git("show", f"main:{path}")

    def tasks(self) -> list[str]:
        """The task of each commit on main that has one, as often as it is there."""
        pretty = "--format=%(trailers:key=Steroids-Task,valueonly,separator=%x2C)"
        return [line for line in self.git("log", pretty, "main").splitlines() if line]

    def landings(self) -> list[str]:
        """The task of each landing on main, oldest first: all commits of one stand together."""
        return [task for task, _ in groupby(reversed(self.tasks()))]

    def contains(self, commit: str) -> bool:
        return commit in self.git("rev-list", "main").splitlines()

    def rewrites(self) -> list[str]:
        """Updates of main, as its reflog has them, that were not fast-forward."""
        log = (self.path / "logs/refs/heads/main").read_text().splitlines()
        moves = [line.split(" ", 2)[:2] for line in log]
        return [f"{old} {new}" for old, new in moves if self.git("rev-list", old, f"^{new}")]

    def hook(self, name: str, script: str | None) -> None:
        """Put a hook in, or with None take it out."""
        path = self.path / "hooks" / name
        path.unlink(missing_ok=True)
        if script is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)


def _lock() -> dict[str, object]:
    packages: dict[str, object] = {"": {"name": "example", "workspaces": ["apps/*"]}}
    for app in APPS:
        packages[f"apps/{app}"] = {
            "name": f"@example/{app}",
            "version": "1.0.0",
            "dependencies": {"is-number": "7.0.0"},
        }
        packages[f"node_modules/@example/{app}"] = {"resolved": f"apps/{app}", "link": True}
    packages["node_modules/is-number"] = IS_NUMBER
    return {"name": "example", "lockfileVersion": 3, "requires": True, "packages": packages}


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"
