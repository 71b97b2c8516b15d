"""A runner that uploads what it must not: over the real API, with a real runner's token."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from steroids.client import Client
from steroids.errors import SteroidsError
from steroids.store import runners
from steroids.store.home_models import Project
from steroids.store.session import Store
from steroids.wire.assignment import Assignment, Claim, Kind, Outcome, Submission
from steroids.wire.runner import Role
from tests.support.repos import Repo
from tests.support.story import Story

OFFERED = "refs/heads/steroids"


class FakeRunner:
    """Does what the loop in a container does, without a container."""

    def __init__(self, story: Story, socket: Path, token: str, folder: Path) -> None:
        self.client = Client(socket, token=token)
        claimed = self.client.poll("/v1/claim", Claim(wait_s=0), Assignment, timeout_s=30)
        assert claimed is not None and claimed.kind is Kind.CODE
        assert claimed.task is not None and claimed.checkout is not None
        self.assignment, self.task = claimed, claimed.task
        self.base = claimed.checkout.commit
        folder.mkdir()
        self.repo = Repo(folder)
        self.repo.git("clone", "--quiet", str(story.origin.path), ".")
        self.repo.git("checkout", "--quiet", "-B", "steroids")
        self.repo.commit("Good", {"apps/a/good.txt": "good\n"})

    def bundle(self, *args: str) -> bytes:
        return self.repo.git_bytes("bundle", "create", "--quiet", "-", *args)

    def submit(self, bundle: bytes, tip: str, *, fence: int | None = None) -> None:
        path = self.repo.path / "out.bundle"
        path.write_bytes(bundle)
        with path.open("rb") as file:
            self.client.upload("/v1/bundle", file)
        body = Submission(
            fence=fence or self.assignment.fence,
            task_id=self.task.id,
            attempt=self.task.attempt,
            base=self.base,
            tip=tip,
            outcome=Outcome.DONE,
        )
        self.client.send("POST", "/v1/submission", body)


@contextmanager
def fake_runner(story: Story, folder: Path) -> Iterator[FakeRunner]:
    (section,) = story.run("sections", "list", "--json").json["sections"]
    store = Store(story.home / "steroids.db", "home")
    try:
        with store.write() as session:
            project = session.exec(select(Project)).one()
            _, token = runners.register(
                session,
                project_id=project.id,
                role=Role.SECTION,
                section_id=section["id"],
                engine="docker",
                engine_address="unix:///nowhere/engine.sock",
            )
    finally:
        store.close()
    yield FakeRunner(story, story.home / "runner.sock", token, folder)


def test_bad_bundles_are_refused_and_change_nothing(desk_story: Story, tmp_path: Path) -> None:
    story = desk_story
    story.add_section("A")
    task = story.add_task("A", "Uploaded by hand", "true")
    with fake_runner(story, tmp_path / "work") as runner:
        before = (story.task(task), _refs(story))
        for name, (bundle, tip, words) in _bad(runner).items():
            with pytest.raises(SteroidsError, match=words) as failure:
                runner.submit(bundle, tip)
            assert failure.value.code == "BUNDLE_REFUSED", name
            assert (story.task(task), _refs(story)) == before, name
        good = runner.bundle(OFFERED, f"^{runner.base}")
        with pytest.raises(SteroidsError) as failure:
            runner.submit(good, runner.repo.head, fence=runner.assignment.fence + 1)
        assert failure.value.code == "LEASE_LOST"
        assert story.task(task) == before[0]

        runner.submit(good, runner.repo.head)
    story.wait_for_status(task, "completed")
    assert story.origin.tasks() == [task]
    assert story.origin.show("apps/a/good.txt") == "good"


def test_an_upload_that_is_too_large_is_answered_and_not_waited_for(
    desk_story: Story, tmp_path: Path
) -> None:
    story = desk_story
    story.configure(max_bundle_bytes=1_000_000)
    story.add_section("A")
    task = story.add_task("A", "Uploaded by hand", "true")
    with fake_runner(story, tmp_path / "work") as runner:
        tip = runner.repo.commit("Large", {"apps/a/large": os.urandom(5_000_000)})
        bundle = runner.bundle(OFFERED, f"^{runner.base}")
        before = (story.task(task), _refs(story))
        with pytest.raises(SteroidsError, match=r"larger than 1\.0 MB") as failure:
            runner.submit(bundle, tip)
        assert failure.value.code == "BUNDLE_REFUSED"
        assert (story.task(task), _refs(story)) == before
        assert list((story.home / "incoming").iterdir()) == []


def test_a_runners_socket_serves_no_users_and_nobody_without_a_token(desk_story: Story) -> None:
    story = desk_story
    socket = story.home / "runner.sock"
    for token in (None, "made-up"):
        with pytest.raises(SteroidsError) as failure:
            Client(socket, token=token).send("POST", "/v1/claim", Claim(wait_s=0))
        assert failure.value.code == "UNAUTHORISED"
    with pytest.raises(SteroidsError, match="404"):
        Client(socket).send("POST", "/v1/daemon/stop", None)
    assert story.controller_lives()


def _bad(runner: FakeRunner) -> dict[str, tuple[bytes, str, str]]:
    """Bundles, the tips that they are said to have, and what the refusal must say."""
    repo, base, tip = runner.repo, runner.base, runner.repo.head
    good = runner.bundle(OFFERED, f"^{base}")
    repo.git("branch", "evil", tip)
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"[core]\n\tfsmonitor = evil\n")
    inner = repo.git("mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    tree = repo.git("mktree", stdin=f"040000 tree {inner}\t.git\n".encode())
    bad_object = repo.git("commit-tree", tree, "-p", base, "-m", "bad object")
    orphan = repo.git("commit-tree", f"{tip}^{{tree}}", "-m", "from nowhere")

    def offering(commit: str, *without: str) -> bytes:
        repo.git("update-ref", OFFERED, commit)
        try:
            return runner.bundle(OFFERED, *without)
        finally:
            repo.git("update-ref", OFFERED, tip)

    return {
        "another ref": (runner.bundle("refs/heads/evil", f"^{base}"), tip, "refs/heads/evil"),
        "one ref more": (runner.bundle(OFFERED, "refs/heads/evil", f"^{base}"), tip, "one ref"),
        "not a bundle": (b"#!/bin/sh\ntouch canary\n", tip, "not a git bundle"),
        "cut off": (good[:-40], tip, "refused"),
        "another tip": (good, base[::-1], "tip is not"),
        "a bad object": (offering(bad_object, f"^{base}"), bad_object, "hasDotgit|\\.git"),
        "another history": (offering(orphan), orphan, "does not build on"),
    }


def _refs(story: Story) -> str:
    (mirror,) = (story.home / "projects").glob("*/mirror.git")
    return story.origin.git("--git-dir", str(mirror), "for-each-ref")
