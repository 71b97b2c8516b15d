"""The product as ordinary users have it: with a Podman of their own that is nobody's root, and
with a Docker whose root they are not."""

import contextlib
import json
import secrets
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.engines import open_engine
from tests.support.escaping import (
    assert_held,
    environment_of_a_user,
    listens,
    monorepo_with_attempts,
    script,
    start_peer,
    targets,
)
from tests.support.private_engines import give_runner_image
from tests.support.rootless import OwnPodman, User, UserCli, ordinary_user
from tests.support.story import Story
from tests.support.story_repos import with_origin

LIMITS = {"memory": "256m", "pids": 200, "cpus": 1.0}


@pytest.mark.podman
def test_rootless_podman_of_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secrets.token_hex(20)
    environment_of_a_user(monkeypatch, secret)
    source = open_engine("podman")
    with contextlib.closing(source), ordinary_user() as user:
        story = _story(user, engine="podman", runners=LIMITS)
        # Nobody has started one: Steroids does.
        doctor = story.cli.run("doctor", "--json")
        engine = next(each for each in doctor.json["findings"] if each["name"] == "engine")
        assert "rootless" in engine["detail"], doctor
        podman = OwnPodman(f"unix://{story.home}/podman.sock")
        give_runner_image(source, podman)
        with contextlib.closing(podman.open()) as story.engine:
            said = _tries(story, secret)
            # Root inside is this user, and the agent somebody whom only the user may be.
            assert f"0 {user.uid} 1" in said
            _limits_are_told(story)
            _ends(story)


@pytest.mark.docker
def test_docker_for_a_user_who_is_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secrets.token_hex(20)
    environment_of_a_user(monkeypatch, secret)
    # The uid that most people have on a machine of their own, and the agent in its container: it
    # owns there what is this user's here.
    with contextlib.closing(open_engine("docker")) as engine, _of_group_docker() as user:
        story = _story(user, engine="docker")
        story.engine = engine
        try:
            assert "0 0 4294967295" in _tries(story, secret)
            _ends(story)
        finally:
            story.sweep()


def _of_group_docker() -> AbstractContextManager[User]:
    return ordinary_user("docker", uid=1000)


def _story(user: User, **settings: object) -> Story:
    repo = monorepo_with_attempts(user.folder / "app")
    repo.git("config", "user.name", "Uma User")
    repo.git("config", "user.email", "uma@example.org")
    origin = with_origin(user.folder / "origin.git", repo)
    home = user.folder / "home"
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(json.dumps(settings))
    user.own(user.folder)
    story = Story(UserCli(home, repo.path, user), repo, origin, None)
    story.run("init")
    return story


def _tries(story: Story, secret: str) -> set[str]:
    """A task that tries all that there is to try, and lands. Returns what it printed."""
    story.add_section("A", "test -e apps/a/landed", options=("--port", "8080"))
    story.add_section("B", options=("--port", "3000"))
    peer = start_peer(story, "B")
    story.run("up", "--detach", "--keep", "--section", "A")
    (own,) = [each for each in story.runners() if each["section"] == "A"]
    asked = targets(story, own, peer, secret, "PORT")
    work = "cat /proc/self/uid_map\necho x > apps/a/landed"
    task = story.add_task("A", "Tries to get out", f"{script(asked)}\n{work}")
    story.wait_for_status(task, "completed")
    assert_held(story, asked)
    assert listens(peer)
    return {" ".join(event["text"].split()) for event in story.events("log")}


def _limits_are_told(story: Story) -> None:
    # With one hierarchy of control groups the user has a part of it; with several, none.
    expected = [] if Path("/sys/fs/cgroup/cgroup.controllers").exists() else sorted(LIMITS)
    for runner in story.runners():
        assert sorted(runner["unlimited"]) == expected
    told = [each["text"] for each in story.events("notice") if "does not keep" in each["text"]]
    assert len(told) == (2 if expected else 0), told
    doctor = story.cli.run("doctor")
    assert ("Podman does not keep the limits" in doctor.out) == bool(expected), doctor
    shown = story.cli.run("ps")
    assert ("is held to no limit of" in f"{shown}") == bool(expected), shown


def _ends(story: Story) -> None:
    """As `Story.end`; the user's own engine lives on, and ends with the user."""
    story.run("down")
    story.run("daemon", "stop")
    assert story.containers() == [] and story.networks() == []
    assert list((story.home / "runners").glob("*")) == []
