"""The runner's side of a review: a real repository, real processes, no container."""

import os
import tempfile
import threading
from pathlib import Path

import pytest

from steroids.client import Client
from steroids.runner import reviewing, verdict
from steroids.runner.courier import Courier
from steroids.runner.outbox import Outbox
from steroids.runner.workspace import Workspace
from steroids.wire.agent import Agent, Program
from steroids.wire.assignment import Assignment, Checkout, Kind, Outcome, Result, TaskBrief
from steroids.wire.verdict import Decision, Verdict
from tests.support.repos import new_repo

ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
APPROVE = '{"decision": "approve"}'
FILE = '"$STEROIDS_VERDICT"'
AGAIN = 'grep -q "Once more" "$STEROIDS_PROMPT"'


class Desk(Courier):
    """In place of the controller."""

    def __init__(self) -> None:
        super().__init__(Client(Path("nowhere")), threading.Event())
        self.got: list[Result] = []

    def result(self, body: Result) -> None:
        self.got.append(body)


class Notes(Outbox):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.lines.append(f"note: {text}")

    def flush(self, timeout_s: float = 10) -> bool:
        return True


class Room:
    def __init__(self, root: Path) -> None:
        repo = new_repo(root / "workspace")
        self.commit = repo.commit("second", {"file": "2\n"})
        self.notes = Notes()
        (root / "state").mkdir()
        (root / "scratch").mkdir()
        self.workspace = Workspace(repo.path, root / "state", None, ENV)
        self.scratch = root / "scratch"

    def review(self, script: str, *, setup: str = "true", timeout_s: float = 60) -> Result:
        task = TaskBrief(id="t", title="T", spec="", attempt=1, section="A", prompt="Look.\n")
        assignment = Assignment(
            kind=Kind.REVIEW,
            checkout=Checkout(commit=self.commit, setup=[setup], setup_key="k"),
            task=task,
            agent=Agent(name="bot", use=Program.COMMAND, argv=["sh", "-c", script]),
            timeout_s=timeout_s,
        )
        desk = Desk()
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            reviewing.run(assignment, self.workspace, desk, self.notes, Path(scratch))
        (result,) = desk.got
        return result


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_the_file_counts_unless_what_is_printed_last_says_something_else(room: Room) -> None:
    said = room.review(f"""echo '{APPROVE}'; echo 'is how it could have ended'
echo '{{"decision": "reject", "reasons": ["no"]}}' > {FILE}""")
    assert said.outcome is Outcome.DONE
    assert said.verdict == Verdict(decision=Decision.REJECT, reasons=["no"])
    # A test of the attempt that the reviewer ran may have written the file.
    faked = room.review(f"""echo '{APPROVE}' > {FILE}
echo '{{"decision": "reject", "reasons": ["no"]}}'""")
    assert (faked.outcome, faked.verdict) == (Outcome.FAILED, None)
    assert "the file says approve, and the end of the output says reject" in faked.tail
    moved = room.review(f"echo '{APPROVE}' > {FILE}.new; mv {FILE}.new {FILE}")
    assert moved.verdict == Verdict(decision=Decision.APPROVE)


def test_it_is_asked_once_more_and_told_what_was_wrong(room: Room) -> None:
    said = room.review(f"""cat > seen; if {AGAIN}; then cp seen kept; echo '{APPROVE}'; exit; fi
echo '{{"decision": "maybe"}}' > {FILE}""")
    assert said.verdict == Verdict(decision=Decision.APPROVE)
    assert any(line.startswith("note: no verdict (Invalid enum value") for line in room.notes.lines)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("true", "there is no verdict"),
        (f"echo '{APPROVE}' > {FILE}; exit 3", "exited 3"),
        (f"echo '{APPROVE}'; kill -9 $$", "signal 9"),
        # What it said when it was asked first is not what it says now.
        (f"if {AGAIN}; then exit; fi; echo '{APPROVE}' > {FILE}; exit 1", "there is no verdict"),
        (f"mkdir {FILE}", "there is no verdict"),
        (f"head -c 300000 /dev/zero | tr '\\0' ' ' > {FILE}; echo x >> {FILE}", "no verdict"),
        (f"yes '{APPROVE}' | head -c 300000 > {FILE}", "longer than"),
    ],
)
def test_what_is_no_verdict_twice_is_none(room: Room, script: str, why: str) -> None:
    said = room.review(f"echo asked; {script}")
    assert (said.outcome, said.verdict) == (Outcome.FAILED, None)
    assert why in said.tail and said.command is None
    assert room.notes.lines.count("asked") == 2


def test_one_that_takes_too_long_is_none(room: Room) -> None:
    said = room.review(f"echo '{APPROVE}' > {FILE}; sleep 600", timeout_s=0.5)
    assert (said.outcome, said.verdict) == (Outcome.FAILED, None)
    assert "took longer than 0.5 s" in said.tail


def test_a_pipe_in_place_of_the_file_holds_nobody_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "READ_S", 0.2)
    said = room.review(f"mkfifo {FILE}")
    assert said.outcome is Outcome.FAILED and "cannot be read" in said.tail


def test_an_output_without_end_is_read_to_its_end(room: Room) -> None:
    lines = verdict.MAX_CHARS // 10
    said = room.review(f"yes 'some words' | head -n {lines * 3}; echo '{APPROVE}'")
    assert said.verdict == Verdict(decision=Decision.APPROVE)


def test_a_program_that_is_not_there_is_not_asked_twice(room: Room) -> None:
    task = TaskBrief(id="t", title="T", spec="", attempt=1, section="A")
    assignment = Assignment(
        kind=Kind.REVIEW,
        checkout=Checkout(commit=room.commit),
        task=task,
        agent=Agent(name="bot", use=Program.COMMAND, argv=["no-such-bot"]),
    )
    desk = Desk()
    reviewing.run(assignment, room.workspace, desk, room.notes, room.scratch)
    assert desk.got[0].outcome is Outcome.UNUSABLE and "no-such-bot" in desk.got[0].tail


def test_a_set_up_that_fails_is_the_attempts_fault(room: Room) -> None:
    said = room.review(f"echo '{APPROVE}'", setup="echo broken; exit 4")
    assert (said.outcome, said.exit_code, said.tail) == (Outcome.FAILED, 4, "broken")
    assert said.command == "echo broken; exit 4" and said.verdict is None
