"""Setting a workspace up, as another user than the runner's: real git, real processes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from steroids import proc
from steroids.runner.failures import CommandFailed
from steroids.runner.setting_up import set_up
from steroids.runner.workspace import Workspace
from steroids.wire.assignment import Checkout

# Of this worker alone: what runs as it is killed.
UID = 54321 + int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0)
DAEMON = "setsid sleep 300 >/dev/null 2>&1 & echo $! >pid"
"""It leaves its group, and outlives whoever started it."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    # Not in pytest's own folder, which is closed to others.
    root = Path(tempfile.mkdtemp(prefix="setting-up-"))
    root.chmod(0o755)
    path = root / "workspace"
    path.mkdir()
    os.chown(path, UID, UID)
    try:
        env = {"PATH": os.environ["PATH"], "HOME": str(path)}
        made = Workspace(path, root, UID, env)
        made.git("init", "-q")
        yield made
    finally:
        for pid in _pids():
            psutil.Process(pid).kill()
        shutil.rmtree(root)


def run(workspace: Workspace, *commands: str, key: str = "k", **more: float) -> dict[str, str]:
    said: list[str] = []
    checkout = Checkout(commit="", setup=list(commands), setup_key=key, **more)  # type: ignore[arg-type]
    return set_up(workspace, checkout, workspace.env, said.append)


def _pids() -> list[int]:
    found = [each for each in psutil.process_iter(["uids", "status"]) if UID in each.info["uids"]]
    return [each.pid for each in found if each.info["status"] != psutil.STATUS_ZOMBIE]


def test_it_runs_once_for_each_key_and_again_after_a_failure(workspace: Workspace) -> None:
    count = "echo x >>count"
    for key in ("one", "one", "two"):
        run(workspace, count, key=key)
    with pytest.raises(CommandFailed):
        run(workspace, "exit 1", count, key="three")
    # Who knows what the failed one has left.
    run(workspace, count, key="two")
    run(workspace, count, key="three")
    assert (workspace.path / "count").read_text().split() == ["x"] * 4


def test_what_leaves_its_group_is_gone_when_it_ends_or_takes_too_long(workspace: Workspace) -> None:
    # What somebody has left running before is gone, too.
    proc.run(["sh", "-c", DAEMON], cwd=workspace.path, user=UID)
    # What is dead and not yet collected does not count.
    alone = "! ps -u $(id -u) -o stat=,comm= | grep '^[^Z].* sleep'"
    run(workspace, alone, DAEMON, alone)
    assert _pids() == []
    with pytest.raises(CommandFailed) as failed:
        run(workspace, f"{DAEMON}; echo waiting; sleep 300", key="other", setup_timeout_s=0.5)
    assert failed.value.exit_code is None and failed.value.tail == "waiting"
    assert (workspace.path / "pid").exists() and _pids() == []


def test_people_see_the_comment_of_a_long_command_in_its_place(workspace: Workspace) -> None:
    said: list[str] = []
    checkout = Checkout(commit="", setup=["echo one", "# install it\nexit 3"], setup_key="k")
    with pytest.raises(CommandFailed) as failed:
        set_up(workspace, checkout, workspace.env, said.append)
    assert said == ["$ echo one", "one", "# install it"]
    assert (failed.value.command, failed.value.exit_code) == ("install it", 3)
    with pytest.raises(CommandFailed) as plain:
        run(workspace, "$0 -c 'exit 4'")
    assert (plain.value.command, plain.value.exit_code) == ("$0 -c 'exit 4'", 4)


def test_what_it_makes_is_no_change_to_git(workspace: Workspace) -> None:
    run(workspace, "mkdir -p node_modules/x .venv && touch node_modules/x/y .venv/z made")
    run(workspace, "true", key="again")
    assert workspace.git("status", "--porcelain").out == "?? made"
    exclude = (workspace.path / ".git/info/exclude").read_text().splitlines()
    assert exclude.count("node_modules/") == 1


def test_agents_find_what_is_in_the_python_environment_and_the_runner_does_not(
    workspace: Workspace,
) -> None:
    assert run(workspace, "true") == workspace.env
    env = run(workspace, "mkdir -p .venv/bin && touch .venv/pyvenv.cfg", key="with")
    assert env["VIRTUAL_ENV"] == f"{workspace.path}/.venv"
    assert env["PATH"].split(":")[0] == f"{workspace.path}/.venv/bin"
    assert ".venv" not in workspace.env["PATH"]
    # Later on, too, when there is nothing to be done.
    assert run(workspace, key="with") == env
