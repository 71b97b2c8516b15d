"""The engine `local`: whole days without a container, and nothing is left of them."""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from steroids.engines.local import LocalEngine
from steroids.engines.spec import Owned
from tests.story import test_reviewers as reviewers
from tests.story import test_two_sections as two_sections
from tests.support.engines import eventually
from tests.support.repos import Repo
from tests.support.story import Story, at_gate, gate, told
from tests.support.story_repos import npm_monorepo, plain_monorepo


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    """A plain monorepo; its runners are processes of this host."""
    yield from told_locally(tmp_path, plain_monorepo)


@pytest.fixture
def local_npm(tmp_path: Path) -> Iterator[Story]:
    """An npm-workspaces monorepo, set up by this host's npm."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here")
    yield from told_locally(tmp_path, npm_monorepo)


def told_locally(root: Path, make: Callable[[Path], Repo]) -> Iterator[Story]:
    """A story of which neither a process nor a folder may be left."""
    home = root / "home"
    home.mkdir(mode=0o700)
    yield from told(root, make, LocalEngine(home))
    eventually(lambda: inside(home) == [])
    for name in ("containers", "half"):
        assert list((home / "local" / name).iterdir()) == []


def inside(home: Path) -> list[psutil.Process]:
    """All processes of this home's containers."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("STEROIDS_ROOT", "").startswith(f"{home.resolve()}/local/"):
                found.append(process)
    return found


def section(story: Story) -> Owned:
    """The container of the one section's runner, as soon as it is there."""

    def look() -> Owned | None:
        found = story.containers("section")
        return next(iter(found), None)

    return story.wait("a container", look)


def test_two_sections_work_side_by_side_and_land(local: Story) -> None:
    story = local
    tasks = []
    for name in ("A", "B"):
        folder = f"apps/{name.lower()}"
        # What one leaves beside its repository, nobody else sees: not the check either.
        story.add_section(name, f"test -e {folder}/done.txt && ! test -e $HOME/mine")
        tasks.append(
            story.add_task(
                name,
                f"Work in {name}",
                f"""touch $HOME/mine; ls $HOME; {gate()}
echo {name} > {folder}/done.txt""",
            )
        )
    up = story.start("up")
    at = at_gate()
    story.wait(
        "both at the gate",
        lambda: {e["section"] for e in story.events("log") if e["text"] == at} == {"A", "B"},
    )
    assert len({each.labels["io.steroids.runner"] for each in story.containers("section")}) == 2
    for name in ("A", "B"):
        told = story.run("exec", name, "--", "sh", "-c", "pwd; echo $HOME; ls $HOME").out
        workspace, home, *files = told.splitlines()
        assert workspace.startswith(f"{story.home}/local/") and workspace.endswith("/workspace")
        assert home.endswith("/home/agent") and files == ["mine"]
        story.release(name)
    answer = story.finish(up)

    assert "local" in answer.out.lower()
    assert [story.task(each)["status"] for each in tasks] == ["completed"] * 2
    assert sorted(story.origin.tasks()) == sorted(tasks)
    story.wait("containers gone", lambda: story.containers() == [])


def test_breaking_one_sections_node_modules_leaves_the_others_whole(local_npm: Story) -> None:
    two_sections.test_breaking_one_sections_node_modules_leaves_the_others_whole(local_npm)


def test_the_users_settings_and_keys_are_not_picked_up(local: Story, tmp_path: Path) -> None:
    story = local
    mine = tmp_path / "user"
    mine.mkdir()
    (mine / ".gitconfig").write_text("[user]\n\tname = Uma Herself\n[alias]\n\tmine = status\n")
    story.cli.env |= {"HOME": str(mine), "GITHUB_TOKEN": "hush", "SSH_AUTH_SOCK": "/hush"}
    story.add_section("A")
    script = """test -z "$GITHUB_TOKEN$SSH_AUTH_SOCK$STEROIDS_HOME"
if git config --get alias.mine; then exit 1; fi
env | sed s/=.*// | sort | xargs echo names:
echo done > apps/a/done.txt"""
    task = story.add_task("A", "Looks around", script)
    (story.home / "config.yaml").unlink()

    story.run("up", "--engine", "local")

    assert story.task(task)["status"] == "completed"
    (line,) = [e["text"] for e in story.events("log") if e["text"].startswith("names:")]
    assert {"HOME", "PATH", "STEROIDS_TASK", "TMPDIR"} <= set(line.split())


def test_an_agent_that_loses_its_repository_does_not_find_the_one_around_the_home(
    local: Story, tmp_path: Path
) -> None:
    story = local
    around = Repo(tmp_path)
    around.git("init", "--quiet")
    story.add_section("A")
    task = story.add_task("A", "Breaks it", "rm -rf .git; echo new > apps/a/new.txt; git add -A")

    story.run("up", exits=1)

    assert story.task(task)["status"] != "completed"
    assert any("not a git repository" in each["text"] for each in story.events("log"))
    assert around.git("status", "--porcelain", "--untracked-files=no") == ""


def test_a_killed_loop_is_replaced_and_its_task_completes(local: Story) -> None:
    story = local
    story.add_section("A")
    task = story.add_task("A", "Interrupted", f"{gate()}\necho done > apps/a/done.txt")
    up = story.start("up")
    first = section(story)
    story.wait_for_line(at_gate())
    assert story.engine is not None
    pid = story.engine.inspect(first.handle).pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    story.wait("another", lambda: section(story).handle != first.handle)
    story.wait(
        "at the gate again",
        lambda: len([e for e in story.events("log") if e["text"] == at_gate()]) == 2,
    )
    # Its agent, which was at the gate, went with it.
    assert not [each for each in inside(story.home) if _of(each, first)]
    story.release("A")
    answer = story.finish(up)

    assert "runner lost" in answer.out
    shown = story.task(task)
    assert (shown["status"], shown["infrastructureFailures"]) == ("completed", 1)
    assert story.origin.tasks() == [task]


def test_a_killed_controller_leaves_the_loop_at_work_and_finds_it_again(local: Story) -> None:
    story = local
    story.add_section("A", "test -e apps/a/done.txt")
    task = story.add_task("A", "Goes on", f"{gate()}\necho done > apps/a/done.txt\necho late")
    up = story.start("up")
    before = section(story)
    story.wait_for_line(at_gate())
    assert story.engine is not None
    pid = story.engine.inspect(before.handle).pid

    story.kill_controller()
    assert story.engine.inspect(before.handle).pid == pid
    story.wait("a new controller", story.controller_lives)
    assert section(story).handle == before.handle
    story.release("A")
    answer = story.finish(up)

    assert "late" in answer.out
    shown = story.task(task)
    assert (shown["status"], shown["currentAttempt"]) == ("completed", 1)
    assert shown["infrastructureFailures"] == 0
    assert [each["runnerId"] for each in story.events("claimed")] == [
        before.labels["io.steroids.runner"]
    ]


def test_down_ends_all_that_an_agent_has_started(local: Story) -> None:
    story = local
    story.add_section("A")
    # Out of its session, without its environment, and no longer its child.
    escape = """sh -c 'env -i setsid sleep 1000 >/dev/null 2>&1 & echo $! > "$TMPDIR/escaped"'"""
    task = story.add_task("A", "Starts much", f"{escape}\nsleep 1000 &\n{gate()}")
    up = story.start("up")
    story.wait_for_line(at_gate())
    script = 'cat "$TMPDIR/escaped"'
    escaped = psutil.Process(int(story.run("exec", "A", "--", "sh", "-c", script).out))
    assert escaped.environ() == {}

    story.run("down")
    story.finish(up)

    assert not escaped.is_running()
    eventually(lambda: inside(story.home) == [])
    assert story.task(task)["status"] == "pending"


def test_a_set_up_is_copied_unless_it_wrote_down_where_it_was(local: Story) -> None:
    story, runs = local, local.home.parent / "runs"
    setup = f"echo set up | tee -a {runs} > $HOME/done"
    done, where = "test -e $HOME/done", 'test "$(cat $HOME/where)" = "$PWD"'
    story.add_section("A", done)
    story.add_task("A", "Moves", f"{done}\necho 1 > apps/a/1.txt")
    story.configure(setup=[setup])
    story.run("up")
    assert len(runs.read_text().splitlines()) == 1

    story.configure(setup=[setup, "echo $PWD > $HOME/where"])
    task = story.add_task("A", "Stays", f"{done}\n{where}\necho 2 > apps/a/2.txt")
    story.run("up")

    # For the snapshot, in the runner, for the check.
    assert len(runs.read_text().splitlines()) == 1 + 3
    assert story.task(task)["status"] == "completed"


def test_doctor_and_names(local: Story) -> None:
    story = local
    told = story.run("doctor").out
    assert f"not isolated, local:{story.home}" in told
    assert "built in" in told


def _of(process: psutil.Process, container: Owned) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.environ().get("STEROIDS_CONTAINER") == container.handle.id)
    return False


def test_reviewers_take_their_turns_here_too(local: Story) -> None:
    reviewers.test_checks_then_an_agent_then_a_person(local)


def test_a_reviewer_that_nobody_waits_for_ends_here_too(local: Story) -> None:
    reviewers.test_a_person_decides_while_an_agent_is_still_at_it(local)
