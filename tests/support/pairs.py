"""Two runners of one monorepo, at work at the same time."""

import io
import json
import shlex
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steroids.engines.base import Engine
from steroids.engines.spec import Handle
from tests.support.repos import Repo, new_repo
from tests.support.story import Story
from tests.support.story_cli import Background

API, MOBILE = "Api", "Mobile"
BOTH = (API, MOBILE)
PORT = 3000
# Without a registry's host in it: whatever registry npm is configured with serves the test.
TYPESCRIPT = {
    "version": "5.6.3",
    "integrity": "sha512-hjcS1mhfuyi4WW8IWtjP7brDrG2cuDZukyrYrSauoXGNgx0S7zceP07adYkJycEr56BOUTNPzb"
    "InooiN3fn1qw==",
    "bin": {"tsc": "bin/tsc", "tsserver": "bin/tsserver"},
}
HOLD = "/tmp/hold-the-build"
BUILD = f"""\
const fs = require("node:fs");
const pause = new Int32Array(new SharedArrayBuffer(4));
fs.rmSync("dist", {{ recursive: true, force: true }});
fs.mkdirSync("dist");
fs.writeFileSync("dist/area.js", "module.exports = (a, b) => a * b;\\n");
// As long as the build of something large.
while (fs.existsSync("{HOLD}")) Atomics.wait(pause, 0, 0, 50);
fs.writeFileSync("dist/index.js", 'exports.area = require("./area.js");\\n');
"""
TEST = """\
const test = require("node:test"), assert = require("node:assert");
test("area", () => assert.equal(require("@pair/types").area(2, 3), 6));
"""
INSTALLING, GO = "/tmp/installing", "/tmp/go-on"
WAIT = f"""\
const fs = require("node:fs");
const pause = new Int32Array(new SharedArrayBuffer(4));
fs.writeFileSync("{INSTALLING}", "");
while (!fs.existsSync("{GO}")) Atomics.wait(pause, 0, 0, 50);
"""
TSCONFIG = {
    "compilerOptions": {
        "composite": True,
        "incremental": True,
        "rootDir": "src",
        "outDir": "dist",
        "tsBuildInfoFile": "dist/.tsbuildinfo",
        "module": "commonjs",
        "target": "es2022",
        "strict": True,
        "types": [],
    },
    "include": ["src"],
}


def pair_monorepo(path: Path) -> Repo:
    """Two apps on a package that is built, one that is compiled, and a seeded database."""
    packages = ["apps/api", "apps/mobile", "packages/types", "packages/shapes"]
    files: dict[Any, Any] = {
        ".gitignore": "node_modules\ndist\n",
        "package.json": _json(
            {
                "name": "pair",
                "private": True,
                "workspaces": ["apps/*", "packages/*"],
                "devDependencies": {"typescript": TYPESCRIPT["version"]},
            }
        ),
        "package-lock.json": _json(_lock(packages)),
        "packages/types/build.js": BUILD,
        "packages/shapes/tsconfig.json": _json(TSCONFIG),
        "packages/shapes/src/index.ts": "export const area = (a: number, b: number) => a * b;\n",
        "db/1.sql": "CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);\n",
        "db/2.sql": "INSERT INTO users (name) VALUES ('Ana'), ('Ben');\n",
    }
    for folder in packages:
        name = folder.partition("/")[2]
        files[f"{folder}/package.json"] = _json(_package(name))
        if folder.startswith("apps/"):
            files[f"{folder}/index.test.js"] = TEST
    for version in ("1.0.0", "2.0.0"):
        files[f"vendor/widget-{version}.tgz"] = _tarball(version)
    return new_repo(path, files)


def _package(name: str) -> dict[str, object]:
    scripts = {"test": "node --test"} if name in ("api", "mobile") else {"build": "node build.js"}
    if name == "shapes":
        scripts = {"build": "tsc -b"}
    whole: dict[str, object] = {"name": f"@pair/{name}", "version": "1.0.0", "scripts": scripts}
    return whole if name in ("api", "mobile") else {**whole, "main": "dist/index.js"}


def _lock(folders: list[str]) -> dict[str, object]:
    root = {
        "name": "pair",
        "workspaces": ["apps/*", "packages/*"],
        "devDependencies": {"typescript": TYPESCRIPT["version"]},
    }
    packages: dict[str, object] = {"": root}
    for folder in folders:
        name = f"@pair/{folder.partition('/')[2]}"
        packages[folder] = {"name": name, "version": "1.0.0"}
        packages[f"node_modules/{name}"] = {"resolved": folder, "link": True}
    packages["node_modules/typescript"] = {**TYPESCRIPT, "dev": True}
    return {"name": "pair", "lockfileVersion": 3, "requires": True, "packages": packages}


def _tarball(version: str) -> bytes:
    """A package whose installation takes as long as somebody wants."""
    package = {"name": "widget", "version": version, "scripts": {"install": "node wait.js"}}
    content = {
        "package.json": _json(package),
        "wait.js": WAIT,
        "index.js": f'exports.version = "{version}";\n',
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in content.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"


@dataclass
class Pair:
    """`start_pair` makes one; it serves test after test."""

    story: Story
    engine: Engine
    handles: dict[str, Handle]

    def run(self, section: str, script: str, exits: int = 0) -> str:
        """What it prints, in a shell in the section's container, as its agent.

        As `steroids exec` does, without its start.
        """
        argv, how = ["sh", "-ec", script], {"user": "agent", "workdir": "/workspace"}
        done = self.engine.exec(self.handles[section], argv, **how)
        out = done.output.decode("utf-8", "replace").strip()
        assert done.exit_code == exits, f"{section}: {script}: exit {done.exit_code}\n{out}"
        return out

    def start(self, section: str, script: str) -> Background:
        """The same, with `steroids exec`, for a test that goes on beside it."""
        return self.story.start("exec", section, "--", "sh", "-ec", script)

    def wait(self, section: str, test: str) -> None:
        """Until that is so there: `-e /tmp/there`."""
        argv = ["sh", "-c", f"test {test}"]
        handle = self.handles[section]
        self.story.wait(
            f"{section}: test {test}", lambda: self.engine.exec(handle, argv).exit_code == 0
        )

    def wait_for_file(self, section: str, path: str) -> None:
        self.wait(section, f"-e {shlex.quote(path)}")

    def both(self, script: str) -> dict[str, str]:
        """What it prints in each; begun in both before it has ended in either."""
        begun = {section: self.start(section, script) for section in BOTH}
        return {section: self.story.finish(each).out for section, each in begun.items()}

    def published(self, section: str) -> int:
        (found,) = [each for each in self.story.runners() if each["section"] == section]
        (port,) = found["ports"]
        assert port["inside"] == PORT
        return int(port["published"])


def start_pair(story: Story, engine: Engine) -> Pair:
    for section in BOTH:
        story.add_section(section, "true", options=("--port", str(PORT)))
    story.run("up", "--detach", "--keep", *(word for each in BOTH for word in ("--section", each)))
    sections = {each["id"]: each["section"] for each in story.runners()}
    handles = {
        sections[each.labels["io.steroids.runner"]]: each.handle
        for each in story.containers("section")
    }
    assert set(handles) == set(BOTH)
    return Pair(story, engine, handles)
