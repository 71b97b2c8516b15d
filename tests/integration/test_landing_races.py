"""A branch that colleagues push to all the time: many tasks put together come too late."""

import pytest

from steroids.git.mirror import Mirror
from steroids.git.push import push
from steroids.services import landing_push
from steroids.wire.task import TaskStatus
from tests.support.landing import approved, configure, land_all, landed_tasks, outsider
from tests.support.service import Bench

TASKS = 5


def test_tasks_that_lose_every_race_together_land_in_smaller_groups(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, "push: {attempts: 4}\n")
    tasks = []
    for number in range(TASKS):
        project.section(f"S{number}")
        files = {f"file{number}": "1\n"}
        tasks.append(approved(project, f"T{number}", files, f"S{number}")[0])
    sizes: list[int] = []

    def raced(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        assert project.origin is not None
        before = project.origin.git("rev-parse", "main")
        sizes.append(int(mirror.git("rev-list", "--count", f"{before}..{commit}").out))
        if sizes[-1] > 1:
            outsider(project, f"Theirs {len(sizes)}", {f"theirs{len(sizes)}": "1\n"})
        push(mirror, url, commit, branch, local=local)

    monkeypatch.setattr(landing_push, "push", raced)
    after = land_all(project, tasks)
    assert [task.status for task in after] == [TaskStatus.COMPLETED] * TASKS
    assert landed_tasks(project) == [task.id for task in tasks]
    assert sizes[:2] == [TASKS, TASKS] and sizes[-1] == 1
