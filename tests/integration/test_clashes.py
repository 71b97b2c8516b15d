"""Clashes that git merges, found in real histories."""

from pathlib import Path

import pytest

from steroids.services.clashes import clash, shared_manifests
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus
from tests.support.fork import Fork, forked
from tests.support.landing import approved, events, land, outsider
from tests.support.service import Bench


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    lines = "".join(f"{n}\n" for n in range(20))
    return forked(tmp_path, {"apps/api/package.json": lines, "migrations/0001_x.sql": "1\n"})


def test_both_files_and_their_commits_are_named(fork: Fork) -> None:
    ours = fork.on("work").commit("Add users", {"apps/api/migrations/0007_users.sql": "u\n"})
    theirs = fork.on("main").commit("Add orders", {"apps/api/migrations/0007_orders.sql": "o\n"})
    fork.repo.commit("Add more", {"apps/api/migrations/0008_more.sql": "o\n"})
    fork.lands()
    assert clash(fork.mirror, fork.base, fork.work, fork.main) == (
        "two migrations have the number 7 in apps/api/migrations\n"
        f"  0007_users.sql ({ours[:7]} Add users), by this task\n"
        f"  0007_orders.sql ({theirs[:7]} Add orders), there already"
    )


def test_one_that_was_renumbered_or_that_both_knew_is_none(fork: Fork) -> None:
    fork.on("work").commit("Change", {"migrations/0001_x.sql": "2\n", "migrations/0002_a.sql": "1"})
    fork.repo.git("mv", "migrations/0002_a.sql", "migrations/0003_a.sql")
    fork.repo.commit("Renumber")
    fork.on("main").commit("theirs", {"migrations/0002_b.sql": "1\n"})
    fork.lands()
    assert clash(fork.mirror, fork.base, fork.work, fork.main) is None


def test_manifests_that_both_changed_are_named(fork: Fork) -> None:
    path = "apps/api/package.json"
    before = (fork.repo.path / path).read_text()
    fork.on("work").commit("ours", {path: "mine\n" + before, "pyproject.toml": "same\n"})
    fork.on("main").commit("theirs", {path: before + "yours\n", "pyproject.toml": "same\n"})
    fork.repo.commit("only theirs", {"go.mod": "module x\n", "b.txt": "1\n"})
    fork.lands()
    assert shared_manifests(fork.mirror, fork.base, fork.work, fork.main) == [path]


def test_the_second_to_land_is_sent_back_and_told_which_files(project: Bench) -> None:
    for name in ("API", "Web"):
        project.section(name)
    folder = "packages/db/migrations"
    first, _ = approved(project, "Add users", {f"{folder}/0007_users.sql": "u\n"}, "API")
    second, _ = approved(project, "Add orders", {f"{folder}/0007_orders.sql": "o\n"}, "Web")
    assert land(project, first).status is TaskStatus.COMPLETED
    now = land(project, second)
    assert (now.status, now.landing_failures) == (TaskStatus.PENDING, 1)
    for words in ("number 7", folder, "0007_orders.sql", "0007_users.sql", "Add users"):
        assert now.reason is not None and words in now.reason


def test_a_manifest_that_both_changed_is_told_of_and_lands(project: Bench) -> None:
    project.section("API")
    path, lines = "apps/api/pyproject.toml", "".join(f"# {n}\n" for n in range(9))
    outsider(project, "Start", {path: lines})
    task, _ = approved(project, "Mine", {path: "a = 1\n" + lines})
    outsider(project, "Theirs", {path: lines + "b = 1\n"})
    assert land(project, task).status is TaskStatus.COMPLETED
    assert any(path in event.text for event in events(project, EventKind.NOTICE))
