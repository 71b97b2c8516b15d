"""A set-up's output in a file, while it runs; and what is said when its program is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from steroids.provisioning import setup_log
from steroids.provisioning.missing_program import missing_program
from steroids.provisioning.setup_failure import failure
from steroids.services import places, reports
from steroids.store import runners
from steroids.wire.assignment import Assignment, Checkout, Kind, Outcome, Result
from steroids.wire.body import encode
from steroids.wire.event import Batch, EventKind, Said
from steroids.wire.runner import Role
from tests.support.service import Bench


def test_what_a_set_up_prints_is_in_its_log_as_it_comes(project: Bench) -> None:
    checkout = Checkout(commit=project.first, setup_key="0123-ab")
    with project.host.store.write() as session:
        row, _ = runners.register(
            session,
            project_id=project.project.id,
            role=Role.SETUP,
            section_id=None,
            engine="fake",
            engine_address="x",
            assignment=encode(Assignment(kind=Kind.SETUP, checkout=checkout)).decode(),
        )
    log = setup_log.log_path(project.host.path, project.project.id, "0123-ab")
    setup_log.begin(log, "Set-up of app")

    def say(first: int, *lines: str) -> None:
        events = [Said(kind=EventKind.LOG, text=line) for line in lines]
        reports.events(project.host, row, Batch(first=first, events=events))

    say(0, "$ npm ci", "one")
    assert log.read_text() == "Set-up of app\n$ npm ci\none\n"
    # Sent again, since its answer got lost.
    say(1, "one", "two")
    assert log.read_text() == "Set-up of app\n$ npm ci\none\ntwo\n"


def test_it_is_bounded_and_so_is_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_log, "MAX_BYTES", 20)
    monkeypatch.setattr(setup_log, "KEPT", 2)
    for key in ("a", "b", "c"):
        setup_log.begin(setup_log.log_path(tmp_path, "12345678", key), "Set-up")
    other = setup_log.log_path(tmp_path, "87654321", "a")
    setup_log.begin(other, "Set-up")
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == ["setup-12345678-b.log", "setup-12345678-c.log", "setup-87654321-a.log"]
    for _ in range(3):
        setup_log.append(other, ["0123456789"])
    assert other.read_text().startswith("Set-up\n0123456789\n01\n(the rest is left out")
    assert other.read_text().count("left out") == 1


@pytest.mark.parametrize(
    ("tail", "why", "hint"),
    [
        ("sh: 1: cargo: not found", "`cargo`", "packages: [cargo]"),
        ("...\nsh: 12: go: not found\n", "`go`", "packages: [golang-go]"),
        ("sh: line 1: flutter: command not found", "`flutter`", "packages: [...]"),
    ],
)
def test_a_program_that_is_missing_is_named_with_the_way_to_have_it(
    tail: str, why: str, hint: str
) -> None:
    told = missing_program(Result(outcome=Outcome.FAILED, exit_code=127, tail=tail))
    assert told is not None
    assert why in told[0] and hint in told[1]


@pytest.mark.parametrize(
    ("code", "tail", "why", "hint"),
    [
        (127, "sh: 1: cargo: not found", "there is no `cargo` in the", "packages: [cargo]"),
        (1, "npm error code ENOTCACHED", "no network (network: none)", "steroids config show"),
        (1, "getaddrinfo ENOTFOUND", "the network did not answer", "steroids up"),
        (1, "it broke\n\n", "it broke", "less "),
    ],
)
def test_a_failure_says_why_and_what_to_do(
    project: Bench, code: int, tail: str, why: str, hint: str
) -> None:
    place = places.site(project.host, project.project, project.engine, None)
    place = replace(place, settings=place.settings.model_copy(update={"network": "none"}))
    result = Result(outcome=Outcome.FAILED, command="npm ci", exit_code=code, tail=tail)
    told = failure(place, Checkout(commit="", setup_key="k"), result)
    assert told.message.startswith(f"Set-up failed: `npm ci` exited {code}: ")
    assert why in told.message and told.hint and hint in told.hint
    # What did not come while it ran is kept all the same.
    assert tail.strip() in Path(told.details["log"]).read_text()


def test_other_failures_are_no_missing_program() -> None:
    tail = "sh: 1: cargo: not found"
    assert missing_program(Result(outcome=Outcome.FAILED, exit_code=1, tail=tail)) is None
    assert missing_program(Result(outcome=Outcome.FAILED, exit_code=127, tail="oops")) is None
