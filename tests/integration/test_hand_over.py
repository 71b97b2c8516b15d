"""A whole coding run in a real workspace; only the controller is played."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from steroids.errors import BundleRefused, LeaseLost
from steroids.git.bundle import take_in, write_bundle
from steroids.git.mirror import Mirror
from steroids.runner.coding import Coding
from steroids.runner.courier import Courier
from steroids.runner.failures import Broken
from steroids.runner.outbox import Outbox
from steroids.runner.workspace import Workspace
from steroids.wire.assignment import (
    Assignment,
    Author,
    Checkout,
    Kind,
    Leftovers,
    Outcome,
    Submission,
    TaskBrief,
)
from tests.support.repos import new_repo

MOST_BYTES = 1_000_000
REF = "refs/steroids/tasks/t/1"
Refusal = Callable[[Submission], str | None]


class Desk(Courier):
    """A controller that takes in what it does not refuse."""

    def __init__(self, mirror: Mirror, folder: Path, base: str) -> None:
        self.mirror = mirror
        self.file = folder / "received"
        self.base = base
        self.uploads: list[int] = []
        self.submissions: list[Submission] = []
        self.refuses: Refusal = lambda body: None

    def fetch(self, want: str, have: list[str], target: Path) -> bool:
        return write_bundle(self.mirror, target, want=want, have=have)

    def upload(self, bundle: Path) -> None:
        self.uploads.append(bundle.stat().st_size)
        if self.uploads[-1] > MOST_BYTES:
            raise BundleRefused("too large")
        self.file.write_bytes(bundle.read_bytes())

    def submit(self, body: Submission) -> None:
        refusal = self.refuses(body)
        if refusal is not None:
            raise BundleRefused(refusal, hint="mend it")
        if body.tip != body.base and not self.mirror.resolve(body.tip):
            take_in(
                self.mirror,
                self.file,
                tip=body.tip,
                base=self.base,
                ref=REF,
                max_bytes=MOST_BYTES,
            )
        self.submissions.append(body)


class Notes(Outbox):
    def __init__(self) -> None:
        self.noted: list[str] = []
        self.heard: Callable[[str], None] = lambda text: None

    def log(self, text: str) -> None:
        self.heard(text)

    def note(self, text: str) -> None:
        self.noted.append(text)

    def flush(self, timeout_s: float = 10) -> bool:
        return True


@dataclass
class Place:
    folder: Path
    workspace: Workspace
    desk: Desk
    start: str
    notes: Notes = field(default_factory=Notes)

    def run(
        self,
        script: str,
        rule: Leftovers = Leftovers.COMMIT,
        *,
        commit: str | None = None,
        squash: str | None = None,
        stop_at: str | None = None,
    ) -> Submission:
        """What was taken in at last; `stop_at` is a line of what it prints."""
        assignment = Assignment(
            kind=Kind.CODE,
            checkout=Checkout(commit=commit or self.start, squash=squash),
            task=TaskBrief(
                id="t", title="The task", spec=f"```sh\n{script}\n```\n", attempt=1, section="A"
            ),
            leftovers=rule,
            author=Author(name="Uma", email="uma@example.org"),
        )
        coding = Coding(assignment, self.workspace, self.desk, self.notes)

        def heard(text: str) -> None:
            if text == stop_at:
                coding.stop(0)

        self.notes.heard = heard
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        coding.run(scratch)
        return self.desk.submissions[-1]

    def files(self, tip: str) -> list[str]:
        return self.desk.mirror.changed_paths(self.start, tip)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    origin = new_repo(tmp_path / "origin", {"one": "1\n"})
    mirror = Mirror.create(tmp_path / "mirror.git")
    start = mirror.fetch(str(origin.path), "main")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for name in ("work", "state"):
        (tmp_path / name).mkdir()
    workspace = Workspace(tmp_path / "work", tmp_path / "state", None, env)
    return Place(tmp_path, workspace, Desk(mirror, tmp_path, start), start)


OWN = "echo own > own; git add .; git commit -qm Own"


def test_all_that_there_is_is_handed_over(place: Place) -> None:
    body = place.run(f"{OWN}; echo left > left")
    assert (body.outcome, place.files(body.tip)) == (Outcome.DONE, ["left", "own"])


def test_what_is_left_is_told_and_what_is_committed_is_handed_over(place: Place) -> None:
    body = place.run(f"{OWN}; echo left > left", Leftovers.FAIL)
    assert (body.outcome, place.files(body.tip)) == (Outcome.FAILED, ["own"])
    assert body.reason == "it left changes uncommitted, 1 file: left"


def test_a_failure_and_what_is_left_are_both_told(place: Place) -> None:
    body = place.run(f"{OWN}; echo left > left; exit 3", Leftovers.FAIL)
    assert body.reason is not None
    assert "exited 3" in body.reason and "1 file: left" in body.reason


@pytest.mark.parametrize("rule", list(Leftovers))
def test_what_the_runner_itself_has_merged_is_committed_whatever_the_rule(
    place: Place, rule: Leftovers
) -> None:
    earlier = place.run(OWN).tip
    body = place.run("true", rule, squash=earlier)
    assert (body.outcome, place.files(body.tip)) == (Outcome.DONE, ["own"])


LARGE = "head -c 3000000 /dev/urandom > large"
ZEROS = "head -c 3000000 /dev/zero > zeros"


@pytest.mark.parametrize(
    ("large", "words"),
    [(LARGE, "the largest files: large (3.0 MB)"), (ZEROS, "zeros is a file of 3.0 MB")],
)
def test_too_much_left_costs_no_commit(place: Place, large: str, words: str) -> None:
    body = place.run(f"{OWN}; {large}")
    assert (body.outcome, place.files(body.tip)) == (Outcome.FAILED, ["own"])
    assert body.reason is not None and body.reason.startswith(
        "what it left uncommitted was refused"
    )
    assert words in body.reason


def test_too_much_committed_is_told_and_found_again(place: Place) -> None:
    body = place.run(f"{OWN}; {LARGE}; git add .; git commit -qm Large")
    assert (body.outcome, body.tip) == (Outcome.FAILED, place.start)
    assert body.reason is not None and body.reason.startswith("its commits were refused: too large")
    assert len(place.desk.uploads) == 1
    body = place.run("git cherry-pick steroids-refused-1~1")
    assert (body.outcome, place.files(body.tip)) == (Outcome.DONE, ["own"])


def test_a_stopped_run_goes_on_though_what_it_left_is_too_much(place: Place) -> None:
    body = place.run(f"{OWN}; {LARGE}; sleep 100", stop_at="$ sleep 100")
    assert (body.outcome, place.files(body.tip)) == (Outcome.STOPPED, ["own"])
    assert "what was left uncommitted was refused" in place.notes.noted[-1]


def test_commits_that_are_taken_back_need_no_bundle(place: Place) -> None:
    first = place.run(OWN).tip
    place.desk.uploads.clear()
    body = place.run("git reset -q --hard HEAD~1", commit=first)
    assert (body.outcome, body.tip, place.desk.uploads) == (Outcome.DONE, place.start, [])


def test_commits_that_are_rewritten_are_handed_over(place: Place) -> None:
    first = place.run(OWN).tip
    body = place.run("git commit -q --amend -m Again; echo more > more", commit=first)
    assert (body.outcome, place.files(body.tip)) == (Outcome.DONE, ["more", "own"])


def test_commits_that_it_has_replaced_are_handed_over_as_they_are(place: Place) -> None:
    body = place.run(f"{OWN}; git replace HEAD HEAD~1")
    assert (body.outcome, place.files(body.tip)) == (Outcome.DONE, ["own"])
    subjects = [each.subject for each in place.desk.mirror.commits(place.start, body.tip)]
    assert subjects == ["Own"]


def test_a_task_that_is_lost_is_not_sent_again(place: Place) -> None:
    earlier = Submission(0, "t", 1, "", "", Outcome.DONE)

    def lost(body: Submission) -> str | None:
        place.desk.uploads.append(0)
        raise LeaseLost("gone")

    place.desk.refuses = lost
    place.desk.submissions.append(earlier)
    assert place.run(OWN) is earlier
    assert place.desk.uploads.count(0) == 1


def test_a_repository_that_is_gone_is_told_before_the_runner_ends(place: Place) -> None:
    with pytest.raises(Broken):
        place.run("rm -rf .git")
    (body,) = place.desk.submissions
    assert (body.outcome, body.tip) == (Outcome.FAILED, place.start)
    assert body.reason is not None and "repository is broken" in body.reason


def test_what_breaks_the_last_commit_costs_none_of_the_others(place: Place) -> None:
    # An index of nonsense: nothing can be added any more, and what is committed is all there.
    with pytest.raises(Broken):
        place.run(f"{OWN}; echo junk > .git/index")
    (body,) = place.desk.submissions
    assert (body.outcome, place.files(body.tip)) == (Outcome.FAILED, ["own"])
