"""Branches for pull requests, and the ways in which commits get onto the target."""

import pytest

from steroids.git.mirror import Mirror
from steroids.git.push import push
from steroids.services import commits, landing_branch, landing_push
from steroids.wire.task import TaskStatus
from tests.support.landing import approved, configure, land, land_all, landed_tasks, outsider
from tests.support.service import Bench

DONE = TaskStatus.COMPLETED
BRANCH = "landing: {mode: branch}\n"


def branches(project: Bench) -> dict[str, str]:
    where = project.origin or project.repo
    shape = "--format=%(refname:short) %(objectname)"
    return dict(
        line.split(" ") for line in where.git("for-each-ref", shape, "refs/heads").splitlines()
    )


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Add login", "add-login"),
        ("  Füge  Ä/../hinzu: `x`.lock ", "fuge-a-hinzu-x-lock"),
        ("日本語", "task"),
        ("-", "task"),
        ("x" * 500, "x" * landing_branch.MAX_SLUG),
        ("a" * (landing_branch.MAX_SLUG - 1) + " b", "a" * (landing_branch.MAX_SLUG - 1)),
    ],
)
def test_a_title_as_part_of_a_branchs_name(title: str, slug: str) -> None:
    assert landing_branch.slug(title) == slug


def test_each_task_is_a_branch_on_the_current_target(project: Bench) -> None:
    configure(project, BRANCH)
    tasks = []
    for section in ("API", "Web"):
        project.section(section)
        tasks.append(approved(project, f"Of {section}", {f"of-{section}": "1\n"}, section)[0])
    theirs = outsider(project, "Theirs", {"theirs": "1\n"})
    assert project.origin is not None
    for now, section in zip(land_all(project, tasks), ("api", "web"), strict=True):
        assert now.status is DONE
        assert now.landed_branch == f"steroids/{now.id[:8]}-of-{section}"
        assert branches(project)[now.landed_branch] == now.landed_hash
        assert project.origin.git("rev-parse", f"{now.landed_branch}^") == theirs
        (commit,) = commits.listing(project.project, now.id)
        assert commit.landed_hash == now.landed_hash
    assert branches(project)["main"] == theirs


def test_a_branch_with_somebody_elses_commits_is_left_alone(project: Bench) -> None:
    configure(project, BRANCH)
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    wanted = f"steroids/{task.id[:8]}-mine"
    project.repo.git("checkout", "--quiet", "--detach", project.first)
    theirs = project.repo.commit("Theirs", {"theirs": "1\n"})
    project.repo.git("push", "--quiet", "origin", f"{theirs}:refs/heads/{wanted}")
    project.repo.git("push", "--quiet", "origin", f"{theirs}:refs/heads/{wanted}-2")
    now = land(project, task)
    assert (now.status, now.landed_branch) == (DONE, f"{wanted}-3")
    assert branches(project)[wanted] == theirs == branches(project)[f"{wanted}-2"]


def test_a_branch_that_is_behind_is_moved_on(project: Bench) -> None:
    configure(project, BRANCH)
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    wanted = f"steroids/{task.id[:8]}-mine"
    project.repo.git("push", "--quiet", "origin", f"{project.first}:refs/heads/{wanted}")
    now = land(project, task)
    assert (now.landed_branch, branches(project)[wanted]) == (wanted, now.landed_hash)


def test_a_branch_that_somebody_makes_meanwhile_is_not_overwritten(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, BRANCH)
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    theirs: list[str] = []

    def raced(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        if not theirs:
            project.repo.git("checkout", "--quiet", "--detach", project.first)
            theirs.append(project.repo.commit("Theirs", {"theirs": "1\n"}))
            project.repo.git("push", "--quiet", "origin", f"{theirs[0]}:refs/heads/{branch}")
        push(mirror, url, commit, branch, local=local)

    monkeypatch.setattr(landing_push, "push", raced)
    now = land(project, task)
    wanted = f"steroids/{task.id[:8]}-mine"
    assert now.landed_branch == f"{wanted}-2" and branches(project)[wanted] == theirs[0]


def test_a_task_without_commits_makes_no_branch(project: Bench) -> None:
    configure(project, BRANCH)
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    outsider(project, "The same", {"mine": "1\n"})
    now = land(project, task)
    assert now.status is DONE and now.landed_hash is None
    assert [*branches(project)] == ["main"]


def test_a_local_project_gets_the_branch_too(local_project: Bench) -> None:
    project = local_project
    configure(project, BRANCH)
    project.section("API")
    before = project.repo.head
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    now = land(project, task)
    assert now.landed_branch == f"steroids/{task.id[:8]}-mine"
    assert branches(project) == {"main": before, now.landed_branch: now.landed_hash}


@pytest.mark.parametrize(("how", "parents"), [("rebase", 1), ("squash", 1), ("merge", 2)])
def test_the_ways_to_land(project: Bench, how: str, parents: int) -> None:
    configure(project, f"landing: {{merge: {how}}}\n")
    tasks = []
    for section in ("API", "Web"):
        project.section(section)
        tasks.append(approved(project, f"Of {section}", {f"of-{section}": "1\n"}, section)[0])
    outsider(project, "Theirs", {"theirs": "1\n"})
    now = land_all(project, tasks)
    assert [each.status for each in now] == [DONE, DONE]
    assert project.origin is not None
    assert branches(project)["main"] == now[1].landed_hash
    for each in now:
        assert each.landed_hash is not None
        shown = project.origin.git("log", "-1", "--format=%P%n%B", each.landed_hash)
        assert len(shown.splitlines()[0].split()) == parents
        assert f"Steroids-Task: {each.id}" in shown
        (commit,) = commits.listing(project.project, each.id)
        main = project.origin.git("rev-list", "main").split()
        assert commit.landed_hash in main and each.landed_hash in main
        assert (commit.landed_hash == commit.hash) == (how == "merge")
    assert landed_tasks(project) == [task.id for task in tasks]
