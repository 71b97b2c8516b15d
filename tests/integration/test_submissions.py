"""Taking commits in: whatever an agent did to its history, whoever is late or dies in between."""

import contextlib
import copy
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steroids.errors import BundleRefused, LeaseLost
from steroids.services import commits, delivery, reviews, submissions, verdicts
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment, Outcome
from steroids.wire.task import TaskStatus
from tests.support.repos import Repo
from tests.support.service import Bench
from tests.support.submissions import (
    at_start,
    attempts,
    begun,
    check_agreement,
    configure,
    listed,
    lose,
    notices,
    rejected,
)

KEPT = "refs/steroids/kept/"


@pytest.fixture
def api(project: Bench) -> Bench:
    project.section("API")
    return project


# -- rewritten history ---------------------------------------------------------------------------


def _amend(project: Bench) -> str:
    return project.agent.commit("amended", {"apps/API/amended": "1\n"}, "--amend")


def _take_back(project: Bench) -> str:
    project.agent.git("reset", "--hard", "--quiet", "HEAD~1")
    return project.agent.head


def _squash(project: Bench) -> str:
    project.agent.git("reset", "--soft", "--quiet", "HEAD~2")
    return project.agent.commit("squashed")


def _take_all_back(project: Bench) -> str:
    project.agent.git("reset", "--hard", "--quiet", "HEAD~2")
    return project.agent.head


@pytest.mark.parametrize(
    ("rewrite", "new", "files"),
    [
        (_amend, ["amended"], ["amended", "first", "second"]),
        (_squash, ["squashed"], ["first", "second"]),
        (_take_back, [], ["first"]),
        (_take_all_back, [], []),
    ],
)
def test_an_agent_may_rewrite_what_the_task_has(
    api: Bench, rewrite: Callable[[Bench], str], new: list[str], files: list[str]
) -> None:
    task, first_tip = rejected(api, "first", "second")
    second = begun(api)
    at_start(api, second)
    tip = rewrite(api)
    api.submit(api.runner("API"), second, tip, upload=bool(new))
    assert api.look(task).status is TaskStatus.REVIEW
    assert listed(api, task) == [(1, "first"), (1, "second"), *((2, each) for each in new)]
    base = api.look(task).base_commit
    assert base is not None
    changed = api.project.mirror.changed_paths(base, tip)
    assert changed == [f"apps/API/{name}" for name in files]
    assert api.project.mirror.resolve(commits.attempt_ref(task.id, 1)) == first_tip
    assert "rewrote commits of earlier runs; they are kept" in notices(api)
    check_agreement(api, task)
    reviews.review(api.host, api.project, task.id, "fake")
    assert api.look(task).status is TaskStatus.APPROVED


def test_an_agent_may_not_take_back_what_is_not_its_own(api: Bench) -> None:
    task, _ = rejected(api, "first")
    second = begun(api)
    at_start(api, second)
    base = api.look(task).base_commit
    assert base is not None
    before = api.project.mirror.resolve(f"{base}^")
    assert before is not None
    with pytest.raises(BundleRefused, match="does not build on"):
        api.submit(api.runner("API"), second, before, upload=False)
    api.agent.git("reset", "--hard", "--quiet", before)
    tip = api.agent.commit("beside it", {"apps/API/x": "1\n"})
    with pytest.raises(BundleRefused, match="does not build on"):
        api.submit(api.runner("API"), second, tip)
    assert api.look(task).status is TaskStatus.IN_PROGRESS
    check_agreement(api, task)


def test_another_tasks_tip_cannot_be_handed_over_without_its_commits(api: Bench) -> None:
    _, other = rejected(api, "first")
    api.section("Web")
    api.task("Two", "Web")
    web = begun(api, "Web")
    with pytest.raises(BundleRefused):
        api.submit(api.runner("Web"), web, other, upload=False)


def test_what_an_interrupted_run_had_is_kept_when_the_next_one_rewrites_it(api: Bench) -> None:
    task = api.task("One", "API")
    first = begun(api)
    half = api.work(first, "half", {"apps/API/x": "1\n"})
    api.submit(api.runner("API"), first, half, outcome=Outcome.STOPPED, reason="stopped")
    second = begun(api)
    at_start(api, second)
    tip = _amend(api)
    api.submit(api.runner("API"), second, tip)
    assert [row.number for row in attempts(api, task)] == [1]
    assert api.project.mirror.refs(KEPT) == {f"{KEPT}{task.id}/{half}": half}
    check_agreement(api, task)


# -- late, twice, killed -------------------------------------------------------------------------


def test_who_is_late_moves_no_ref_even_when_the_commits_were_on_their_way(
    api: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = api.task("One", "API")
    runner = api.runner("API")
    first = begun(api)
    late = api.work(first, "late", {"apps/API/late": "1\n"})
    real, made = delivery.look, []

    def overtaken(*args: Any, **kwargs: Any) -> delivery.Delivery:
        monkeypatch.setattr(delivery, "look", real)
        found = real(*args, **kwargs)
        lose(api, task)
        second = begun(api)
        made.append(api.work(second, "in time", {"apps/API/x": "1\n"}))
        api.submit(runner, second, made[0])
        return found

    monkeypatch.setattr(delivery, "look", overtaken)
    with pytest.raises(LeaseLost):
        api.submit(runner, first, late)
    assert api.look(task).latest_commit == made[0]
    assert listed(api, task) == [(1, "in time")]
    check_agreement(api, task)


def test_one_that_is_sent_again_while_the_first_is_taken_in_is_no_other_answer(
    api: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = api.task("One", "API")
    first = begun(api)
    tip = api.work(first, "work", {"apps/API/x": "1\n"})
    real = delivery.look

    def overtaken(*args: Any, **kwargs: Any) -> delivery.Delivery:
        monkeypatch.setattr(delivery, "look", real)
        found = real(*args, **kwargs)
        api.submit(api.runner("API"), first, tip)
        return found

    monkeypatch.setattr(delivery, "look", overtaken)
    api.submit(api.runner("API"), first, tip)
    assert listed(api, task) == [(1, "work")]
    check_agreement(api, task)


def _before_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(submissions, "_register", die)


def _after_the_ref(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commits, "register", die)


@pytest.mark.parametrize("killed", [_before_the_store, _after_the_ref])
def test_a_controller_that_dies_while_it_takes_in_takes_it_in_later(
    api: Bench, monkeypatch: pytest.MonkeyPatch, killed: Callable[[pytest.MonkeyPatch], None]
) -> None:
    task = api.task("One", "API")
    first = begun(api)
    tip = api.work(first, "work", {"apps/API/x": "1\n"})
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        killed(patched)
        api.submit(api.runner("API"), first, tip)
    assert api.look(task).status is TaskStatus.IN_PROGRESS
    assert (listed(api, task), attempts(api, task)[0].tip) == ([], None)
    api.submit(api.runner("API"), first, tip, upload=False)
    assert api.look(task).status is TaskStatus.REVIEW
    check_agreement(api, task)


def test_what_a_controller_was_taking_in_when_it_died_is_kept_though_the_run_is_lost(
    api: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = api.task("One", "API")
    first = begun(api)
    lost_tip = api.work(first, "lost", {"apps/API/x": "1\n"})
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        _after_the_ref(patched)
        api.submit(api.runner("API"), first, lost_tip)
    lose(api, task)
    second = begun(api)
    api.submit(api.runner("API"), second, api.work(second, "again", {"apps/API/y": "1\n"}))
    assert api.project.mirror.resolve(f"{KEPT}{task.id}/{lost_tip}") == lost_tip
    check_agreement(api, task)


@pytest.mark.parametrize("seed", range(2))
def test_refs_and_rows_agree_whatever_comes_in_whatever_order(
    api: Bench, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    task, runner = api.task("One", "API"), api.runner("API")
    settings = "review: {max_rejections: 1000}\n"
    configure(api, settings)
    sent: list[tuple[Assignment, str, Outcome]] = []
    now: Assignment | None = None
    taken = 0
    for step in range(15):
        if now is None:
            now = begun(api)
        at_start(api, now)
        # The commit that the task began at is not its own to amend.
        if chance.random() < 0.4 and api.agent.head != api.look(task).base_commit:
            api.agent.git("commit", "--quiet", "--amend", "--allow-empty", "-m", f"again {step}")
        tip = api.agent.commit(f"step {step}", {f"apps/API/{step}": "1\n"})
        outcome = chance.choice([Outcome.FAILED, Outcome.STOPPED])
        again = chance.choice(sent) if sent else None
        match chance.choice(["send", "send", "lose", "die", "repeat"]):
            case "lose":
                sent.append((now, tip, outcome))
                lose(api, task)
                now = None
            case "die":
                with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
                    chance.choice([_before_the_store, _after_the_ref])(patched)
                    api.submit(runner, now, tip, outcome=outcome)
            case "repeat" if again is not None:
                # What it says is true already, or refused; it never changes anything.
                before = (attempts(api, task), api.look(task).status)
                with contextlib.suppress(LeaseLost):
                    api.submit(runner, again[0], again[1], outcome=again[2])
                assert (attempts(api, task), api.look(task).status) == before
            case _:
                api.submit(runner, now, tip, outcome=outcome)
                taken += 1
                sent.append((now, tip, outcome))
                now = None
        check_agreement(api, task)
    assert taken > 2


# -- what is taken in as it is -------------------------------------------------------------------


def test_a_submission_without_commits_goes_to_review(api: Bench) -> None:
    task = api.task("One", "API")
    api.submit(api.runner("API"), begun(api))
    assert api.look(task).status is TaskStatus.REVIEW
    (attempt,) = attempts(api, task)
    assert (attempt.files, attempt.added, attempt.removed, attempt.outside) == (0, 0, 0, [])
    assert attempt.tip == attempt.base_commit
    check_agreement(api, task)


def test_a_failed_run_with_commits_is_rejected_and_loses_none(api: Bench) -> None:
    task, tip = rejected(api, "first", "second")
    assert api.look(task).status is TaskStatus.PENDING
    found = commits.listing(api.project, task.id)
    assert [(each.status, each.rejection_reason) for each in found] == [("rejected", "not yet")] * 2
    (attempt,) = attempts(api, task)
    assert (attempt.status, attempt.reason, attempt.tip) == ("rejected", "not yet", tip)
    assert (attempt.files, attempt.added, attempt.removed) == (2, 2, 0)


def _merge(project: Bench) -> str:
    start = project.agent.head
    project.agent.commit("ours", {"apps/API/ours": "1\n"})
    ours = project.agent.head
    project.agent.git("checkout", "--quiet", "--detach", start)
    project.agent.commit("theirs", {"apps/API/theirs": "1\n"})
    project.agent.git("merge", "--quiet", "--no-ff", "-m", "both", ours)
    return project.agent.head


def _empty(project: Bench) -> str:
    return project.agent.commit("empty")


def _raw(author: bytes, message: bytes, *more: bytes) -> Callable[[Bench], str]:
    def make(project: Bench) -> str:
        repo = project.agent
        head = [
            b"tree " + repo.git("rev-parse", "HEAD^{tree}").encode(),
            b"parent " + repo.head.encode(),
            b"author " + author,
            b"committer " + author,
            *more,
        ]
        stdin = b"\n".join(head) + b"\n\n" + message
        return repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=stdin)

    return make


@pytest.mark.parametrize(
    ("make", "subjects"),
    [
        (_merge, ["theirs", "ours", "both"]),
        (_empty, ["empty"]),
        (_raw(b"\x1b[31mEve\xff <eve@\xff> 1 +0000", b"\x1b]0;x\x07 \xff\n\nmore"), None),
        (_raw(b"Eve <e> 99999999999 +1400", b"far away"), ["far away"]),
        (_raw(b"Eve <e> 1 +0000", b"", b"encoding no-such-thing"), [""]),
        (_raw("Zoë <z> 1 +0000".encode("latin-1"), b"caf\xe9", b"encoding latin-1"), ["café"]),
    ],
    ids=["merge", "empty", "escapes", "date", "encoding", "latin-1"],
)
def test_commits_come_in_as_they_are(
    api: Bench, make: Callable[[Bench], str], subjects: list[str] | None
) -> None:
    task = api.task("One", "API")
    first = begun(api)
    at_start(api, first)
    tip = make(api)
    api.submit(api.runner("API"), first, tip)
    assert api.look(task).latest_commit == tip
    if subjects is not None:
        assert sorted(message for _, message in listed(api, task)) == sorted(subjects)
    check_agreement(api, task)


# -- limits --------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_named(api: Bench) -> None:
    configure(api, "max_bundle_bytes: 1000000\n")
    task = api.task("One", "API")
    first = begun(api)
    api.work(first, "good", {"apps/API/good": "1\n"})
    tip = api.agent.commit("bad", {"apps/API/big file.bin": "0" * 3_000_000})
    with pytest.raises(BundleRefused, match=r"big file\.bin is a file of 3\.0 MB, and 1\.0 MB"):
        api.submit(api.runner("API"), first, tip)
    assert api.look(task).status is TaskStatus.IN_PROGRESS
    check_agreement(api, task)


def test_endless_commits_and_files_are_refused(api: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    api.task("One", "API")
    first = begun(api)
    api.work(first, "one", {"apps/API/1": "1\n", "apps/API/2": "2\n"})
    tip = api.agent.commit("two", {"apps/API/3": "3\n"})
    with monkeypatch.context() as patched:
        patched.setattr("steroids.git.bundle.MOST_COMMITS", 1)
        with pytest.raises(BundleRefused, match="2 commits, and 1 are allowed"):
            api.submit(api.runner("API"), first, tip)
    with monkeypatch.context() as patched:
        patched.setattr(delivery, "MOST_FILES", 2)
        with pytest.raises(BundleRefused, match="change 3 files, and 2 are allowed"):
            api.submit(api.runner("API"), first, tip)
    api.submit(api.runner("API"), first, tip)


def test_a_repository_within_the_repository_is_no_work_handed_over(api: Bench) -> None:
    task = api.task("One", "API")
    first = begun(api)
    at_start(api, first)
    link = f"160000,{api.first},apps/API/lib"
    api.agent.git("update-index", "--add", "--cacheinfo", link)
    api.agent.git("commit", "--quiet", "-m", "Add lib")
    api.submit(api.runner("API"), first, api.agent.head)
    now = api.look(task)
    assert (now.status, now.rejection_count) == (TaskStatus.PENDING, 1)
    assert now.reason is not None and "apps/API/lib is a git repository of its own" in now.reason
    api.submit(api.runner("API"), begun(api))
    assert api.look(task).rejection_count == 2, "it is still there"


def test_a_submodule_is_welcome(api: Bench) -> None:
    task = api.task("One", "API")
    first = begun(api)
    at_start(api, first)
    link = f"160000,{api.first},apps/API/lib"
    api.agent.git("update-index", "--add", "--cacheinfo", link)
    text = '[submodule "lib"]\n\tpath = apps/API/lib\n\turl = https://example.org/lib\n'
    (api.agent.path / ".gitmodules").write_text(text)
    api.agent.git("add", ".gitmodules")
    api.agent.git("commit", "--quiet", "-m", "Add lib")
    api.submit(api.runner("API"), first, api.agent.head)
    assert api.look(task).status is TaskStatus.REVIEW


# -- at once -------------------------------------------------------------------------------------


def test_who_commits_at_once_has_only_its_own(project: Bench) -> None:
    names = ("API", "Web", "Mobile")
    for name in names:
        project.section(name)
    tasks = {name: [project.task(f"{name} {i}", name) for i in range(4)] for name in names}
    # A repository each, as agents have; all else is the one controller.
    views = {name: copy.copy(project) for name in names}
    for name, view in views.items():
        path = project.agent.path.with_name(f"agent-{name}")
        project.agent.git("clone", "--quiet", str(project.agent.path), str(path))
        view.agent = Repo(path)
        view.runner(name)
    ready, failures = threading.Barrier(len(names)), list[BaseException]()

    def work(name: str) -> None:
        view = views[name]
        try:
            for number in range(4):
                ready.wait(60)
                assignment = begun(view, name)
                view.work(assignment, f"{name} {number} a", {f"apps/{name}/{number}a": "1\n"})
                files = {f"apps/{name}/{number}b": "2\n"}
                ready.wait(60)
                tip = view.agent.commit(f"{name} {number} b", files)
                outcome = Outcome.UNUSABLE if number % 2 else Outcome.DONE
                view.submit(view.runner(name), assignment, tip, outcome=outcome)
                if outcome is Outcome.DONE:
                    with project.project.store.write() as session:
                        assert assignment.task is not None
                        row = session.get_one(db.Task, assignment.task.id)
                        verdicts.fail(session, row, "enough", section=name, actor="test")
        except BaseException as error:
            failures.append(error)
            ready.abort()
            raise

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for name in names:
        for number, task in enumerate(tasks[name]):
            assert listed(project, task) == [(1, f"{name} {number} a"), (1, f"{name} {number} b")]
            (attempt,) = attempts(project, task)
            assert attempt.tip is not None
            changed = project.project.mirror.changed_paths(attempt.base_commit, attempt.tip)
            assert changed == [f"apps/{name}/{number}a", f"apps/{name}/{number}b"]
            assert (attempt.files, attempt.added, attempt.removed) == (2, 2, 0)
            check_agreement(project, task)
