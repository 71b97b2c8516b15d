"""Many tasks land while somebody else keeps pushing to the same branch."""

import random
import threading
from collections import Counter
from pathlib import Path

from tests.support.repos import Repo
from tests.support.story import Story

SECTIONS = ("A", "B", "C", "D")


class Outsider:
    """Pushes commit after commit to main until told to stop, as a colleague would."""

    def __init__(self, folder: Path, origin: Path) -> None:
        folder.mkdir()
        self.repo = Repo(folder)
        self.repo.git("clone", "--quiet", str(origin), ".")
        self.pushed: list[str] = []
        self.beaten = 0
        self.failure: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        pause = random.Random(1)
        try:
            while not self._over.wait(pause.uniform(0.05, 0.5)):
                self._push_one()
        except BaseException as failure:
            self.failure = failure
            raise

    def _push_one(self) -> None:
        number = len(self.pushed)
        self.repo.commit(f"outside {number}", {f"outside/{number}.txt": f"{number}\n"})
        while True:
            # In a push that somebody else was faster for, only that is expected.
            self.repo.git("push", "--quiet", "origin", "HEAD:main", check=False)
            self.repo.git("fetch", "--quiet", "origin")
            if self.repo.git("rev-list", "HEAD", "^origin/main") == "":
                self.pushed.append(self.repo.head)
                return
            self.beaten += 1
            self.repo.git("rebase", "--quiet", "origin/main")


def test_eight_tasks_land_once_each_while_an_outsider_keeps_pushing(
    story: Story, tmp_path: Path
) -> None:
    for name in SECTIONS:
        # One has checks, which run again on what the rebase made of it.
        story.add_section(name, *(["ls outside apps/a/0.txt"] if name == "A" else []))
    tasks = [
        story.add_task(
            name,
            f"{name}{number}",
            f"""echo {number} > apps/{name.lower()}/{number}.txt
git add -A && git commit -qm 'Own commit of {name}{number}'
echo more > apps/{name.lower()}/{number}.more""",
        )
        for name in SECTIONS
        for number in range(2)
    ]

    outsider = Outsider(tmp_path / "outsider", story.origin.path)
    try:
        story.wait("the outsider", lambda: outsider.pushed)
        story.run("up")
    finally:
        outsider.stop()

    assert Counter(story.origin.tasks()) == {task: 2 for task in tasks}
    landed = story.origin.git("rev-list", "main").splitlines()
    for task in tasks:
        assert story.task(task)["status"] == "completed"
        mine = story.commits(task)
        assert [each["status"] for each in mine] == ["approved"] * 2
        assert all(each["landedHash"] in landed for each in mine)
    files = story.origin.git("ls-tree", "-r", "--name-only", "main").splitlines()
    for name in SECTIONS:
        for number in range(2):
            assert f"apps/{name.lower()}/{number}.txt" in files
            assert f"apps/{name.lower()}/{number}.more" in files
    assert len(outsider.pushed) > 5
    assert [each for each in outsider.pushed if each not in landed] == []
    assert story.origin.rewrites() == []
