"""What a user of cron may forget about: after each crash all work goes on, in every project."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from steroids.engines.base import Engine
from steroids.engines.spec import Handle
from tests.support.cron_host import CronHost, cron_host
from tests.support.engines import open_engine
from tests.support.repos import Repo
from tests.support.story import build_runner_image
from tests.support.story_repos import Origin, plain_monorepo, with_origin

T = TypeVar("T")
WAIT_S = 300.0
NAMES = ("one", "two", "three")
TASKS = ("Write", "Amend")
# In the container's own /tmp, where the test finds it without asking a controller.
GATE = "touch /tmp/at-gate; until [ -e /tmp/go ]; do sleep 0.1; done\n"
TABLE = "MAILTO=''\n# mine\n\n  5 4 * * *   echo \"100\\%\"  # nightly\n@daily true\n"


@pytest.mark.docker
@pytest.mark.timeout(1200)
def test_after_all_is_killed_cron_brings_the_work_of_each_project_back(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = open_engine("docker")
    try:
        build_runner_image(engine, tmp_path_factory)
        with cron_host(engine, tmp_path) as host:
            _story(host, engine, tmp_path)
    finally:
        engine.close()


def _story(host: CronHost, engine: Engine, root: Path) -> None:
    assert host.run("crontab", stdin=TABLE).code == 0
    repos = {name: plain_monorepo(root / name) for name in NAMES}
    origins = {name: with_origin(root / f"{name}.git", repo) for name, repo in repos.items()}
    for repo in repos.values():
        _fill(host, repo)
    host.steroids("daemon", "stop")

    host.steroids("runners", "cron", "install")
    installed = host.run("crontab", "-l").out
    assert "was there already" in host.steroids("runners", "cron", "install").out
    assert host.run("crontab", "-l").out == installed
    assert installed.startswith(TABLE) and installed.count("\n") == TABLE.count("\n") + 1

    first = _await(host, "a runner at work in each", lambda: _at_gate(host, engine))
    assert all(each["env"].get("PERSON") is None for each in host.controllers())
    assert [each["cwd"] for each in host.controllers()] == ["/"]

    before = len(host.wakeups())
    assert host.kill_steroids()
    for handle in first.values():
        engine.remove(handle)
    second = _await(host, "another one in each", lambda: _at_gate(host, engine))
    assert not {*map(str, second.values())} & {*map(str, first.values())}
    assert len(host.wakeups()) - before <= 2, "within two ticks"
    assert all(each["env"].get("PERSON") is None for each in host.controllers())

    for handle in second.values():
        assert engine.exec(handle, ["touch", "/tmp/go"]).exit_code == 0
    for origin in origins.values():
        _await(host, "all landed", partial(_landed, origin))
        assert origin.show("apps/a/new") == "written\namended"
    for repo in repos.values():
        listed = host.steroids("tasks", "list", "--json", cwd=repo.path).json["tasks"]
        assert {each["title"]: each["status"] for each in listed} == dict.fromkeys(
            TASKS, "completed"
        )

    shown = host.steroids("runners", "cron", "status").out
    assert "installed with crontab" in shown and "started" in shown
    assert "removed from crontab" in host.steroids("runners", "cron", "uninstall").out
    assert host.run("crontab", "-l").out == TABLE
    host.steroids("daemon", "stop")


def _landed(origin: Origin) -> bool:
    return len(origin.landings()) == len(TASKS)


def _fill(host: CronHost, repo: Repo) -> None:
    host.steroids("init", cwd=repo.path)
    host.steroids("sections", "add", "A", "--path", "apps/a/**", cwd=repo.path)
    scripts = (f"{GATE}echo written > apps/a/new", "echo amended >> apps/a/new")
    for title, script in zip(TASKS, scripts, strict=True):
        spec = repo.path / ".git" / "spec.md"
        spec.write_text(f"```sh\n{script}\n```\n")
        words = ("tasks", "add", title, "--section", "A", "--spec", str(spec))
        host.steroids(*words, cwd=repo.path)


def _at_gate(host: CronHost, engine: Engine) -> dict[str, Handle] | None:
    """The one runner of each project, when all of them are in the middle of their tasks."""
    found = {}
    for project, containers in host.runners().items():
        if len(containers) != 1:
            return None
        handle = containers[0].handle
        try:
            at_gate = engine.exec(handle, ["test", "-e", "/tmp/at-gate"]).exit_code == 0
        except Exception:  # noqa: BLE001 - it may just be coming, or going
            return None
        if not at_gate:
            return None
        found[project] = handle
    return found if len(found) == len(NAMES) else None


def _await(host: CronHost, what: str, check: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + WAIT_S
    while not (result := check()):
        assert time.monotonic() < deadline, f"never: {what}\n{host.log()}"
        time.sleep(0.2)
    return result
