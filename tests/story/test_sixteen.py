"""Sixteen runners land on one branch, to which colleagues push all the while."""

import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.support.engines import REAL
from tests.support.repos import Repo
from tests.support.story import Story
from tests.support.table import Row, staged
from tests.support.table_facts import differences

SECTIONS = [f"S{number:02}" for number in range(16)]
TASKS = 2
"""Of each section."""
COLLEAGUES = 2
PAUSE_S = (0.5, 1.5)
"""Between a colleague's pushes."""


class Colleague:
    """Commits, and pushes after as many `pull --rebase` as it takes, until told to stop."""

    def __init__(self, folder: Path, origin: Path, seed: int, over: threading.Event) -> None:
        folder.mkdir()
        self._name = folder.name
        self._repo = Repo(folder)
        self._repo.git("clone", "--quiet", str(origin), ".")
        self._pause = random.Random(seed)
        self._over = over
        self.pushed: list[str] = []
        self.beaten = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._over.wait(self._pause.uniform(*PAUSE_S)):
                self._push(len(self.pushed))
        except BaseException as failure:
            self._failure = failure
            raise

    def _push(self, number: int) -> None:
        files = {f"outside/{self._name}/{number}.txt": f"{number}\n"}
        self._repo.commit(f"{self._name} {number}", files)
        while True:
            self._repo.git("push", "--quiet", "origin", "HEAD:main", check=False)
            self._repo.git("pull", "--quiet", "--rebase", "origin", "main")
            if self._repo.git("rev-list", "HEAD", "^origin/main") == "":
                self.pushed.append(self._repo.head)
                return
            self.beaten += 1


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story_engine", REAL[:1], indirect=True)
def test_sixteen_runners_land_on_a_branch_that_colleagues_push_to(
    story: Story, tmp_path: Path
) -> None:
    story.configure(runners={"max_parallel": len(SECTIONS)})
    over = threading.Event()
    with staged(story) as stage:
        for name in SECTIONS:
            stage.add(stage.section(name), *_rows(name))
        colleagues = [
            Colleague(tmp_path / f"colleague{seed}", story.origin.path, seed, over)
            for seed in range(COLLEAGUES)
        ]
        try:
            story.run("up")
        finally:
            over.set()
            for each in colleagues:
                each.join()
        assert differences(stage) == []

    pushed = [commit for each in colleagues for commit in each.pushed]
    print(f"{len(pushed)} pushes by colleagues, {sum(c.beaten for c in colleagues)} times beaten")
    assert len(pushed) > len(SECTIONS)
    landed = set(story.origin.git("rev-list", "main").splitlines())
    assert [commit for commit in pushed if commit not in landed] == []
    assert len(Counter(story.origin.tasks())) == TASKS * len(SECTIONS)


def _rows(section: str) -> list[Row]:
    """Each lands as two commits."""
    return [
        Row(
            title := f"{section} {number}",
            "put a; commit Own; put b",
            landed=["Own", title],
            files={"a": "x\n", "b": "x\n"},
        )
        for number in range(TASKS)
    ]
