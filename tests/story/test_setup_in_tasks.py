"""A task that changes what is to be set up: its next attempt and its checks have it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import open_engine, promised
from tests.support.repos import Repo, new_repo
from tests.support.story import Story, build_runner_image, told

PYTHON = """\
[project]
name = "api"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = []
"""


def python_monorepo(path: Path) -> Repo:
    """One package in a folder of its own. A lockfile that says the same as `uv lock` would."""
    lock = 'version = 1\nrequires-python = ">=3.11"\n\n'
    package = '[[package]]\nname = "api"\nversion = "1.0.0"\nsource = { virtual = "." }\n'
    return new_repo(path, {"apps/api/pyproject.toml": PYTHON, "apps/api/uv.lock": lock + package})


@pytest.fixture
def python_story(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """On one engine: what differs is uv, and not the engine."""
    engine = open_engine("podman" if promised() == {"podman"} else "docker")
    try:
        build_runner_image(engine, tmp_path_factory)
        yield from told(tmp_path, python_monorepo, engine)
    finally:
        engine.close()


def test_a_dependency_that_a_task_adds_is_there_for_its_checks_and_its_next_attempt(
    python_story: Story,
) -> None:
    story = python_story
    # The environment is in a folder of the workspace; its programs are found all the same.
    story.add_section("Api", "test -e apps/api/done", "python -c 'import iniconfig'")
    task = story.add_task(
        "Api",
        "Needs something",
        """\
set -eux
command -v python | grep '^/workspace/apps/api/.venv/'
if grep iniconfig apps/api/uv.lock; then
    python -c 'import iniconfig'
    touch apps/api/done
else
    cd apps/api && uv add --no-sync iniconfig==2.0.0
    # In the way of the next set-up, if it lived on.
    setsid sleep 300 >/dev/null 2>&1 &
fi
""",
    )
    story.run("up")
    done = story.task(task)
    assert (done["status"], done["currentAttempt"]) == ("completed", 2), done
    first = json.dumps(done["attempts"][0])
    assert "apps/api/done" in first
    changed = story.origin.git("diff", "--name-only", "HEAD~2", "main").split()
    assert not [path for path in changed if ".venv" in path], changed
