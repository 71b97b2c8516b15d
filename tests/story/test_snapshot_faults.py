"""What breaks while a snapshot is made is told, nothing half-made stays, the next `up` works."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from steroids import proc
from steroids.engines.base import Engine
from tests.support.engines import REAL
from tests.support.private_engines import PrivateEngine, give_runner_image, private_engine
from tests.support.story import LABEL, Story, at_gate, gate, told
from tests.support.story_cli import Answer
from tests.support.story_repos import plain_monorepo

MB = 1 << 20
STORAGE_BYTES = 2_500 * MB
"""For the runner image and a few large set-ups. In memory, as far as it is used."""
HOME_BYTES = 24 * MB
ON_ONE_ENGINE = pytest.mark.parametrize("story_engine", REAL[:1], indirect=True)


@pytest.fixture(scope="module")
def private(story_engine: Engine) -> Iterator[PrivateEngine]:
    """An engine with little storage, that may be killed."""
    with private_engine(story_engine.name, STORAGE_BYTES) as made:
        give_runner_image(story_engine, made)
        yield made


@pytest.fixture
def small(private: PrivateEngine, tmp_path: Path) -> Iterator[Story]:
    with closing(private.open()) as engine:
        yield from told(tmp_path, plain_monorepo, engine, engine_setting=private.address)
    private.leave_free(None)


def snapshots(story: Story) -> list[tuple[str, ...]]:
    """The names of each that there is."""
    assert story.engine is not None
    mine = [folder.name for folder in (story.home / "projects").glob("*")]
    found = story.engine.images.list({f"{LABEL}.image": "snapshot"})
    return [image.refs for image in found if image.labels[f"{LABEL}.project"] in mine]


def one_task(story: Story) -> str:
    story.add_section("A")
    return story.add_task("A", "Waits for better days", "echo done > apps/a/done.txt")


def nothing_left(story: Story) -> None:
    assert snapshots(story) == []
    story.wait("containers gone", lambda: story.containers() == [])
    assert story.runners() == []


def works(story: Story, task: str) -> Answer:
    """The next `up`, when all is well again."""
    answer = story.run("up")
    assert story.task(task)["status"] == "completed"
    ((name,),) = snapshots(story)
    assert name
    return answer


def test_a_disk_that_is_full_is_told_wherever_that_happens(
    small: Story, private: PrivateEngine
) -> None:
    story, task = small, one_task(small)
    fill = "head -c {} /dev/zero > big"
    room = f"hint: {private.name} system df"

    private.leave_free(60 * MB)
    story.configure(setup=[fill.format(90 * MB)])
    inside = story.run("up", exits=1).out
    assert f"Set-up failed: `{fill.format(90 * MB)}` exited 1: the disk is full" in inside
    assert "No space left on device" in inside and room in inside
    nothing_left(story)

    # There is room for the files, and not for an image of them.
    private.leave_free(60 * MB)
    story.configure(setup=[fill.format(40 * MB)])
    commit = story.run("up", exits=5).out
    assert "could not commit" in commit and "no space left on device" in commit
    assert room in commit
    nothing_left(story)

    private.leave_free(1000)
    create = story.run("up", exits=5).out
    assert "could not start" in create and "no space left on device" in create
    assert room in create
    nothing_left(story)

    private.leave_free(None)
    works(story, task)


def test_an_engine_that_dies_while_it_makes_the_image_is_waited_for(
    small: Story, private: PrivateEngine
) -> None:
    story, task = small, one_task(small)
    story.configure(setup=[f"head -c {400 * MB} /dev/urandom > big"])
    up = story.start("up")
    story.wait("a commit", lambda: _is_told(story, "keeping it as an image"))
    private.kill()
    story.wait("its end noticed", lambda: _is_told(story, "did not answer"))
    assert up.runs()
    private.start()
    answer = story.finish(up)
    assert story.task(task)["status"] == "completed", answer
    ((name,),) = snapshots(story)
    assert name
    # No second set-up beside it, and nothing without a name: swept by whoever built next.
    assert _is_told(story, "keeping it as an image") <= 2


def _is_told(story: Story, text: str) -> int:
    return sum(text in event["text"] for event in story.events())


@ON_ONE_ENGINE
def test_a_controller_killed_in_the_middle_leaves_nothing_that_the_next_one_keeps(
    story: Story,
) -> None:
    task = one_task(story)
    story.configure(setup=[gate()])
    up = story.start("up")
    story.wait("a set-up", lambda: _is_told(story, at_gate()))
    (building,) = story.containers("setup")
    # What the engine may just have been making of it.
    assert story.engine is not None
    (project,) = (folder.name for folder in (story.home / "projects").glob("*"))
    facts = {f"{LABEL}.image": "snapshot", f"{LABEL}.project": project}
    for _ in range(2):
        story.engine.commit(building.handle, "localhost/steroids/half:1", labels=facts, command=())
    story.kill_controller()
    up.kill()
    story.engine.images.remove("localhost/steroids/half:1")
    story.run("ps")
    # It stays wanted: the next controller begins anew, on its own.
    story.wait("the old one gone", lambda: building.handle.id not in _setups(story))
    story.wait("another set-up", lambda: len(_setups(story)) == 1)
    story.wait("swept", lambda: snapshots(story) == [])
    story.run("down")
    story.wait("given up", lambda: story.containers() == [])
    story.configure()
    works(story, task)


def _setups(story: Story) -> list[str]:
    return [each.handle.id for each in story.containers("setup")]


@ON_ONE_ENGINE
def test_a_set_up_that_does_not_end_is_ended(story: Story) -> None:
    task = one_task(story)
    hangs = "trap '' TERM; setsid sleep 1001 & sleep 1002"
    story.configure(setup=["true", hangs], setup_timeout_s=2)
    out = story.run("up", exits=1).out
    assert f"Set-up failed: `{hangs}` took longer than 2 s" in out
    assert "hint: less " in out and "setup_timeout_s" in out
    nothing_left(story)
    story.configure()
    works(story, task)


CUT = """node -e '
const server = require("http").createServer((ask, answer) => {
  answer.writeHead(200, {"content-length": 1e6});
  answer.write("{");
  setTimeout(() => process.exit(), 50);
}).listen(4873, () => console.log("serves"));' & sleep 1
npm ci --fetch-retries=0 --registry http://127.0.0.1:4873"""


@ON_ONE_ENGINE
def test_a_registry_that_goes_away_fails_once_for_all_sections(npm_story: Story) -> None:
    story = npm_story
    for name in ("API", "Mobile", "Third", "Fourth"):
        story.add_section(name)
    first = story.add_task("API", "One", "test -e node_modules/is-number")
    for name in ("Mobile", "Third", "Fourth"):
        story.add_task(name, f"In {name}", "true")
    story.configure(setup=[CUT], runners={"max_parallel": 2})
    out = story.run("up", exits=1).out
    assert out.count("exited 1: the network did not answer") == 1, out
    assert out.count("Not started: its set-up is the one that failed for ") == 3, out
    assert _is_told(story, "$ node -e") == 1
    assert "hint: steroids up " in out
    nothing_left(story)
    story.configure()
    story.run("up", "--section", "API")
    assert story.task(first)["status"] == "completed"


@pytest.fixture
def cramped(story_engine: Engine, tmp_path: Path) -> Iterator[Story]:
    """With a disk of its own for the home, and little room on it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    size = f"size={HOME_BYTES},mode=700"
    mounted = proc.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(home)], timeout_s=10)
    if not mounted.ok:
        pytest.skip(f"nothing can be mounted here: {mounted.err}")
    try:
        yield from told(tmp_path, plain_monorepo, story_engine)
    finally:
        proc.run(["umount", "--lazy", str(home)], timeout_s=10)


def fill_up(story: Story, leave_bytes: int) -> None:
    """Take the room in the home, but for so much."""
    ballast = story.home / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(story.home).free - leave_bytes)


@ON_ONE_ENGINE
def test_a_home_that_is_full_is_told_and_loses_nothing(cramped: Story) -> None:
    story = cramped
    story.repo.commit("large", {"apps/b/large": os.urandom(6 * MB)})
    story.repo.git("push", "--quiet")
    story.add_section("A")
    task = story.add_task("A", "Large", f"{gate()}\nhead -c 3000000 /dev/urandom > apps/a/more")
    full = f"error: No space is left on the disk of {story.home}: nothing can go on"

    # Its commits are in the mirror, and cannot be written once more for the set-up; and then not
    # even a row of the store can be.
    story.run("ps")
    story.repo.git("fetch", "--quiet")
    for leave_bytes in (12 * MB, 4096):
        fill_up(story, leave_bytes)
        answer = story.run("up", exits=1)
        assert full in answer.err and f"hint: df -h {story.home}" in answer.err, answer
        assert "bug" not in answer.out + answer.err

    # What was begun goes on by itself.
    (story.home / "ballast").unlink()
    up = story.start("up")
    story.wait("an agent", lambda: _is_told(story, at_gate()))
    # Nothing that an agent has done is lost for want of room.
    fill_up(story, 1 * MB)
    story.release("A")
    assert full in story.finish(up, exits=1).err
    (story.home / "ballast").unlink()
    works(story, task)
    assert story.task(task)["infrastructureFailures"] == 0


@ON_ONE_ENGINE
def test_a_snapshot_that_is_removed_by_hand_or_whose_commit_is_gone(story: Story) -> None:
    task = one_task(story)
    works(story, task)
    ((name,),) = snapshots(story)
    assert story.engine is not None
    story.engine.images.remove(name)
    another = story.add_task("A", "Once more", "echo more > apps/a/more.txt")
    works(story, another)
    # A history that has nothing in common with the one that the snapshot has.
    repo = story.repo
    repo.git("checkout", "--quiet", "--orphan", "anew")
    repo.commit("anew", {"apps/a/README.md": "new\n"})
    repo.git("push", "--quiet", "--force", "origin", "anew:main")
    last = story.add_task("A", "On new ground", "grep new apps/a/README.md > apps/a/last.txt")
    assert "reused" in works(story, last).out
    assert story.origin.show("apps/a/last.txt") == "new"
