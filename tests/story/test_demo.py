"""The demo, typed as a visitor types it; and that it would notice if something were amiss."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steroids import proc
from steroids.cli.example import TASKS, write
from steroids.cli.example.proof import landed_on
from steroids.engines.base import Engine
from steroids.errors import GitError
from tests.support.repos import Repo
from tests.support.story_cli import Cli

LIMIT_S = 540.0


class Visitor:
    """Somebody who has configured neither git nor Steroids, and where the demo is made."""

    def __init__(self, root: Path, engine: Engine) -> None:
        self.home, self.folder, self.engine = root / "visitor", root / "demo", engine
        self.home.mkdir()
        env = {"HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        self.before = Cli(self.home / ".steroids", root, env)
        self.after = Cli(self.folder / "home", self.folder / "shop", env)

    def demo(self) -> dict[str, Any]:
        argv = (sys.executable, "-m", "steroids", "demo", "--json", "--engine", self.engine.name)
        done = proc.run(
            [*argv, "--keep-folder", str(self.folder)],
            cwd=self.before.cwd,
            env=self.before.env,
            timeout_s=LIMIT_S,
        )
        assert done.returncode == 0, f"{done.out}\n{done.err}"
        facts = json.loads(done.out)
        assert isinstance(facts, dict)
        return facts

    def containers(self) -> list[str]:
        controller = (self.folder / "home" / "id").read_text().strip()
        owned = self.engine.list_owned({"io.steroids.controller": controller})
        return [each.handle.name for each in owned]

    def leave(self) -> None:
        """Nothing of it stays on the machine."""
        if not self.after.cwd.is_dir():
            return
        listed = self.after.run("images", "list", "--json")
        self.after.run("down", "--now")
        self.after.run("daemon", "stop")
        for image in listed.json["images"]:
            if image["project"]:
                self.engine.images.remove(image["ref"])


@pytest.fixture
def visitor(story_engine: Engine, tmp_path: Path) -> Iterator[Visitor]:
    visitor = Visitor(tmp_path, story_engine)
    try:
        yield visitor
    finally:
        visitor.leave()


def test_the_demo_does_what_it_promises(visitor: Visitor) -> None:
    facts = visitor.demo()

    assert facts["success"] is True
    assert [task["status"] for task in facts["tasks"]] == ["completed"] * len(TASKS)
    assert (facts["landings"], facts["rejections"]) == (len(TASKS), 1)
    assert facts["containersLeft"] == visitor.containers() == []

    origin = Path(facts["origin"])
    on_main = [(name, task) for name, task in landed_on(origin) if task]
    told = [each["landedHash"] for each in facts["commits"] if each["landedHash"]]
    assert sorted(name for name, _ in on_main) == sorted(told)
    assert {task for _, task in on_main} == {task["id"] for task in facts["tasks"]}
    changelog = Repo(origin).git("show", "main:docs/CHANGELOG.md")
    assert (changelog.count("GET /health"), changelog.count("how long ago")) == (1, 1)

    # It can be looked at further, with the user's own home as it was.
    assert visitor.after.run("daemon", "status").code == 1, "its controller still runs"
    assert len(visitor.after.run("tasks", "list", "--json").json["tasks"]) == len(TASKS)
    assert not visitor.before.home.exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    cli = Cli(tmp_path / "home", tmp_path)
    answer = cli.run("demo", "--json", "--keep-folder", str(tmp_path))
    assert (answer.code, answer.json["code"]) == (2, "USAGE")
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_a_demo_without_an_engine_says_so_and_leaves_nothing_running(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home", tmp_path)
    demo = tmp_path / "demo"
    nowhere = f"unix://{tmp_path}/nobody.sock"
    answer = cli.run("demo", "--json", "--engine", nowhere, "--keep-folder", str(demo))
    assert answer.code == 5, answer
    assert answer.json["success"] is False and "nobody.sock" in answer.json["error"]
    assert Cli(demo / "home", demo / "shop").run("daemon", "status").code == 1
    assert not cli.home.exists()


def test_the_examples_lockfile_names_no_registry(tmp_path: Path) -> None:
    made = write(tmp_path)
    packages = json.loads((made.clone / "package-lock.json").read_text())["packages"]
    assert [name for name, each in packages.items() if "://" in each.get("resolved", "")] == []
    assert sum("integrity" in each for each in packages.values()) == 3


def test_the_example_needs_no_identity_of_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    made = write(tmp_path)
    assert landed_on(made.origin) == [(Repo(made.clone).head, "")]
    with pytest.raises(GitError):
        landed_on(tmp_path / "specs")
