"""Taking back what a task has landed: real git, a real remote; no checks, so no container."""

from typing import Any

import pytest

from steroids.errors import NotFound, SteroidsError, WrongState
from steroids.services import commits, history, human, landing, reverting, reviews, withdrawing
from steroids.services.reverted import reverted_by
from steroids.services.reverting import RevertConflict
from steroids.store import project_models as db
from steroids.wire.revert import Revert
from steroids.wire.task import Task, TaskStatus
from tests.support.landing import approved, land, landed_tasks, outsider
from tests.support.service import Bench


@pytest.fixture(params=["rebase", "squash", "merge"])
def any_way(request: pytest.FixtureRequest, project: Bench) -> Bench:
    """A project with one section, however its tasks get onto main."""
    configure(project, merge=request.param)
    project.section("API")
    return project


@pytest.fixture
def api(project: Bench) -> Bench:
    project.section("API")
    return project


def configure(project: Bench, **settings: str) -> None:
    lines = ", ".join(f"{key}: {value}" for key, value in settings.items())
    (project.host.path / "config.yaml").write_text(f"landing: {{{lines}}}\n")


def landed(project: Bench, title: str, *files: dict[str, str]) -> Task:
    """A task that has landed a commit for each of these."""
    task, runner = project.task(title, "API"), project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, f"{title} 1", files[0])
    for number, each in enumerate(files[1:], start=2):
        tip = project.agent.commit(f"{title} {number}", each)
    project.submit(runner, assignment, tip)
    reviews.review(project.host, project.project, task.id, "fake")
    now = land(project, task)
    assert now.status is TaskStatus.COMPLETED
    return now


def revert(project: Bench, task: Task, reason: str | None = None) -> Task:
    return reverting.revert(project.host, project.project, task.id, Revert(reason=reason))


def refused(project: Bench, task: Task, kind: type[SteroidsError] = WrongState) -> SteroidsError:
    """Nothing at all may be left of one that is refused."""
    before = state(project)
    with pytest.raises(kind) as caught:
        revert(project, task)
    assert state(project) == before
    assert caught.value.hint
    return caught.value


def state(project: Bench) -> tuple[Any, ...]:
    from steroids.services import tasks

    titles = [each.title for each in tasks.listing(project.project)]
    return titles, project.project.mirror.refs("refs/steroids/tasks"), project.origin_log()


def tree(project: Bench) -> str:
    assert project.origin is not None
    return project.origin.git("rev-parse", "main^{tree}")


def test_exactly_the_tasks_commits_are_taken_back(any_way: Bench) -> None:
    project = any_way
    landed(project, "Before", {"apps/api/a": "before\n"})
    task = landed(project, "Mine", {"apps/api/x": "1\n", "apps/api/a": "2\n"}, {"apps/api/y": "1"})
    landed(project, "After", {"apps/api/z": "1\n"})
    made = revert(project, task, "It broke the build.")
    assert (made.title, made.section, made.reverts) == ('Revert "Mine"', "API", task.id)
    assert made.status is TaskStatus.APPROVED and landing.queue(project.project) == [made.id]
    now = land(project, made)
    assert now.status is TaskStatus.COMPLETED
    assert project.origin is not None
    files = project.origin.git("ls-tree", "-r", "--name-only", "main", "apps/").split()
    assert files == ["apps/api/a", "apps/api/z"]
    assert project.origin.git("show", "main:apps/api/a") == "before"
    assert set(landed_tasks(project)) >= {task.id, made.id}
    body = project.origin.git("log", "-1", "--format=%B", "main")
    assert body.splitlines()[-1] == f"Steroids-Task: {made.id}"
    whole = project.origin.git("log", "--format=%B", "main")
    assert "This reverts commit" in whole and "It broke the build." in whole
    assert project.look(task).status is TaskStatus.COMPLETED


def test_one_commit_for_each_newest_first(api: Bench) -> None:
    task = landed(api, "Mine", {"x": "1\n"}, {"x": "2\n"})
    old = [each.landed_hash for each in commits.listing(api.project, task.id)]
    made = revert(api, task, "Why.")
    registered = commits.listing(api.project, made.id)
    assert [each.message.splitlines()[0] for each in registered] == [
        'Revert "Mine 2"',
        'Revert "Mine 1"',
    ]
    assert [
        f"This reverts commit {hash}.\n\nWhy." in each.message
        for each, hash in zip(registered, reversed(old), strict=True)
    ] == [True, True]
    with api.project.store.read() as session:
        row = session.get_one(db.Task, made.id)
        attempt = commits.current_attempt(session, row)
    assert row.approved_tree is None and row.base_commit == task.landed_hash
    assert attempt is not None and (attempt.status, attempt.files) == ("approved", 1)
    ref = commits.attempt_ref(made.id, 1)
    assert api.project.mirror.refs(ref) == {ref: row.latest_commit}


def test_a_revert_can_be_reverted_and_then_the_task_again(any_way: Bench) -> None:
    project = any_way
    before = tree(project)
    task = landed(project, "Mine", {"apps/api/x": "1\n"})
    with_it = tree(project)
    first = revert(project, task)
    land(project, first)
    assert tree(project) == before
    error = refused(project, task)
    assert "was reverted by" in error.message and first.id[:8] in str(error.hint)
    assert history.of(project.project, task.id).reverted_by == first.id
    second = revert(project, first)
    assert second.title == 'Revert "Revert "Mine""'
    land(project, second)
    assert tree(project) == with_it
    assert history.of(project.project, task.id).reverted_by is None
    land(project, revert(project, task))
    assert tree(project) == before


def test_what_landed_later_on_the_same_lines_is_named_and_nothing_changed(any_way: Bench) -> None:
    project = any_way
    task = landed(project, "Mine", {"apps/api/a": "mine\n"})
    later = outsider(project, "Later", {"apps/api/a": "later\n"})
    error = refused(project, task, RevertConflict)
    assert error.exit_code == 7 and "apps/api/a" in error.message
    assert f"{later[:7]} Later" in error.message
    assert error.details == {"paths": ["apps/api/a"], "commits": [later]}
    assert error.hint == "steroids tasks add 'Revert \"Mine\"' --section API"


def test_only_what_has_landed_can_be_reverted(api: Bench) -> None:
    task, _ = approved(api, "Mine", {"x": "1\n"})
    assert "is approved" in refused(api, task).message
    with pytest.raises(NotFound):
        reverting.revert(api.host, api.project, "nothing", Revert())


def test_a_task_that_landed_nothing_has_nothing_to_revert(api: Bench) -> None:
    same, _ = approved(api, "Mine", {"same": "1\n"})
    outsider(api, "The same, by somebody else", {"same": "1\n"})
    land(api, same)
    task, runner = api.task("Already done", "API"), api.runner("API")
    assignment = api.claim(runner)
    assert assignment is not None
    api.submit(runner, assignment)
    reviews.review(api.host, api.project, task.id, "fake")
    land(api, task)
    for each in (same, task):
        assert "landed no commits" in refused(api, each).message


def test_what_is_undone_already_or_rewritten_away_is_refused(api: Bench) -> None:
    task = landed(api, "Mine", {"x": "1\n"})
    assert api.origin is not None
    outsider(api, "By hand", {"README.md": "other\n"})
    api.repo.git("rm", "--quiet", "x")
    undone = api.repo.commit("Undone by hand")
    api.repo.git("push", "--quiet", "origin", f"{undone}:refs/heads/main")
    assert "Nothing of task 'Mine' is left" in refused(api, task).message
    api.origin.git("update-ref", "refs/heads/main", api.first)
    error = refused(api, task)
    assert "not on main any more" in error.message
    assert error.details["commits"] == [task.landed_hash]


def test_one_revert_at_a_time_until_it_is_out_of_the_way(api: Bench) -> None:
    task = landed(api, "Mine", {"x": "1\n"})
    made = revert(api, task)
    error = refused(api, task)
    assert "is being reverted by" in error.message
    with api.project.store.write() as session:
        row = session.get_one(db.Task, made.id)
        found = reverted_by(session, task.id)
        assert found is not None and found.id == made.id
        row.status = TaskStatus.SKIPPED
        session.add(row)
        session.flush()
        assert reverted_by(session, task.id) is None
    assert revert(api, task).id != made.id


def test_a_pull_requests_branch_is_not_reverted(api: Bench) -> None:
    configure(api, mode="branch")
    task, _ = approved(api, "Mine", {"x": "1\n"})
    now = land(api, task)
    assert now.status is TaskStatus.COMPLETED and now.landed_branch is not None
    error = refused(api, task)
    assert now.landed_branch in error.message


def test_what_came_in_between_goes_below_it(api: Bench) -> None:
    """Pushed after it was asked for: the revert is rebased like any task."""
    task = landed(api, "Mine", {"x": "1\n"})
    made = revert(api, task)
    outsider(api, "Meanwhile", {"y": "1\n"})
    assert land(api, made).status is TaskStatus.COMPLETED
    assert api.origin_log()[:2] == ['Revert "Mine 1"', "Meanwhile"]


def test_a_person_can_take_it_back_before_it_lands(api: Bench) -> None:
    from steroids.wire.verdict import Judge

    task = landed(api, "Mine", {"x": "1\n"})
    made = revert(api, task)
    with withdrawing.withdrawing(api.host, api.project, made.id):
        pass
    now = human.reject(api.host, api.project, made.id, Judge(reason="No."))
    assert now.status is TaskStatus.PENDING and landing.queue(api.project) == []


def test_without_a_remote_it_lands_where_the_task_did(local_project: Bench) -> None:
    project = local_project
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    land(project, task)
    made = revert(project, project.look(task))
    assert land(project, made).status is TaskStatus.COMPLETED
    subjects = project.repo.git("log", "-2", "--format=%s", "steroids/main").splitlines()
    assert subjects == ['Revert "Mine"', "Mine"]
    assert project.repo.git("status", "--porcelain") == ""


def test_what_an_attempt_merged_from_main_is_not_taken_back(api: Bench) -> None:
    """Its history has commits of others, and only its own are its work."""
    task, runner = api.task("Mine", "API"), api.runner("API")
    assignment = api.claim(runner)
    assert assignment is not None and api.origin is not None
    api.work(assignment, "Mine", {"mine": "1\n"})
    outsider(api, "Theirs", {"theirs": "1\n"})
    api.agent.git("fetch", "--quiet", str(api.origin.path), "main")
    api.agent.git("merge", "--quiet", "--no-ff", "-m", "merge main", "FETCH_HEAD")
    api.submit(runner, assignment, api.agent.head)
    reviews.review(api.host, api.project, task.id, "fake")
    assert land(api, task).status is TaskStatus.COMPLETED
    made = revert(api, api.look(task))
    assert land(api, made).status is TaskStatus.COMPLETED
    names = api.origin.git("ls-tree", "--name-only", "main").split()
    assert "theirs" in names and "mine" not in names
