"""Snapshots with an engine in memory: one builds and all share what comes of it, what is kept, what
is left of builds that failed."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import select

from steroids.engines.fake_box import Box
from steroids.engines.fake_faults import AFTER, BEFORE, MIDWAY
from steroids.engines.spec import ContainerSpec
from steroids.errors import EngineUnavailable, ImageMissing, SetupFailed, SteroidsError
from steroids.provisioning import container, snapshot
from steroids.provisioning.oneshot import Unwanted
from steroids.provisioning.site import LABEL
from steroids.provisioning.snapshot import Snapshot, Want, started_from
from steroids.services import places, sections, target
from steroids.store import home_models as home
from steroids.wire.assignment import Outcome, Result
from steroids.wire.body import encode
from steroids.wire.runner import ACTIVE, Role
from tests.support.engines import eventually
from tests.support.service import Bench, bench

FAILED = Result(outcome=Outcome.FAILED, command="npm ci", exit_code=1, tail="one\nnot found\n")


class Yard:
    """A project whose set-ups end as `results` says, once `go` is set."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.engine = bench, bench.engine
        self.image = self.engine.images.add("localhost/steroids/runner:1")
        self.engine.programs[self.image.id] = self._set_up
        self.results: list[Result] = []
        self.commit = target.fetch(bench.project)
        self.go = threading.Event()
        self.go.set()
        self.built = 0
        self.said: list[str] = []
        self.pool = ThreadPoolExecutor(8)
        container.runner_socket(bench.host.path).touch()

    def configure(self, text: str) -> None:
        (self.bench.host.path / "config.yaml").write_text(text)

    def ensure(self, section: str | None = None, want: Want | None = None) -> Snapshot:
        with self.bench.project.store.read() as session:
            row = sections.named(session, section) if section else None
        project = self.bench.project
        place = places.site(self.bench.host, project, self.engine, row)
        want = want or Want(say=self.said.append, again=False)
        return places.snapshot_for(project, place, self.commit, self.image, want)

    def in_background(self, section: str, want: Want | None = None) -> "Future[Snapshot]":
        return self.pool.submit(self.ensure, section, want)

    def snapshots(self) -> list[str]:
        """Names of those that there are; an empty one for each that has none."""
        found = self.engine.images.list({f"{LABEL}.image": "snapshot"})
        return [ref for image in found for ref in image.refs or ("",)]

    def containers(self) -> list[str]:
        return [each.handle.name for each in self.engine.list_owned({})]

    def _set_up(self, box: Box) -> int:
        self.built += 1
        while not self.go.is_set():
            box.sleep(0.01)
        answer = self.results.pop(0) if self.results else Result(outcome=Outcome.DONE)
        with self.bench.host.store.write() as session:
            rows = session.exec(select(home.Runner).where(home.Runner.role == Role.SETUP)).all()
            for row in rows:
                if row.status in ACTIVE and row.result is None:
                    row.result = encode(answer).decode()
                    session.add(row)
        return 0


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with bench(tmp_path) as made:
        for name in ("A", "B", "C"):
            made.section(name)
        yard = Yard(made)
        yield yard
        yard.go.set()
        yard.pool.shutdown()


def outcome(future: "Future[Snapshot]") -> SteroidsError:
    error = future.exception(20)
    assert isinstance(error, SteroidsError)
    return error


def test_of_those_who_want_one_at_once_one_builds_it_and_the_others_say_that_they_wait(
    yard: Yard,
) -> None:
    yard.go.clear()
    first = yard.in_background("A")
    eventually(lambda: yard.built)
    others = [yard.in_background(name) for name in ("B", "C")]
    eventually(lambda: len(yard.said) == 2)
    assert set(yard.said) == {"waits for the one that is being made for A"}
    yard.go.set()
    made = {future.result(20).ref for future in [first, *others]}
    assert (len(made), yard.built, yard.snapshots()) == (1, 1, [*made])
    assert yard.containers() == []
    (ref,) = made
    assert yard.ensure("B") == Snapshot(ref, first.result().display, built=False)


def test_a_set_up_that_fails_fails_once_for_all_and_is_told_once(yard: Yard) -> None:
    yard.results = [FAILED]
    yard.go.clear()
    first = yard.in_background("A")
    eventually(lambda: yard.built)
    second = yard.in_background("B")
    eventually(lambda: yard.said)
    yard.go.set()
    told = outcome(first)
    assert told.message == "Set-up failed: `npm ci` exited 1: not found"
    assert told.hint and told.hint.startswith("less ") and "not found" in told.details["tail"]
    for also in (outcome(second), outcome(yard.in_background("C"))):
        assert isinstance(also, SetupFailed)
        assert also.message == "Not started: its set-up is the one that failed for A"
        assert also.hint is None and "tail" not in also.details
    # Who was told in full is told the same again.
    assert outcome(yard.in_background("A")).message == told.message
    assert (yard.built, yard.snapshots(), yard.containers()) == (1, [], [])
    # Somebody asks again; a review asks for itself.
    yard.results = [FAILED]
    with pytest.raises(SetupFailed, match="exited 1"):
        yard.ensure("B", Want())
    assert yard.built == 2
    snapshot.try_again(yard.bench.project.id)
    assert yard.ensure("C").built and yard.built == 3
    assert not yard.ensure("A").built


@pytest.mark.parametrize(
    ("result", "words", "hint"),
    [
        (
            Result(
                outcome=Outcome.FAILED,
                command="make",
                exit_code=2,
                tail="cp: No space left on device\nmake: *** Error 1",
            ),
            "`make` exited 2: the disk is full",
            "fake system df",
        ),
        (
            Result(
                outcome=Outcome.FAILED,
                command="npm ci",
                exit_code=1,
                tail="npm error code ECONNREFUSED\nnpm error A complete log",
            ),
            "`npm ci` exited 1: the network did not answer",
            "steroids up",
        ),
        (
            Result(outcome=Outcome.FAILED, command="npm ci", tail="fetching"),
            "`npm ci` took longer than 1800 s",
            "setup_timeout_s",
        ),
    ],
)
def test_why_it_failed_is_said_where_it_can_be_told(
    yard: Yard, result: Result, words: str, hint: str
) -> None:
    yard.results = [result]
    with pytest.raises(SetupFailed) as raised:
        yard.ensure("A")
    assert raised.value.message == f"Set-up failed: {words}"
    assert raised.value.hint is not None and hint in raised.value.hint


def test_a_build_that_nobody_waits_for_any_more_is_given_up(yard: Yard) -> None:
    yard.go.clear()
    wanted = {"A": True, "B": True}
    first, second = (
        yard.in_background(name, Want(lambda name=name: wanted[name], yard.said.append))  # type: ignore[misc]
        for name in wanted
    )
    eventually(lambda: yard.built and yard.said)
    wanted["A"] = False
    # B still wants it, whoever began it; asking that takes a moment, and nothing is to happen.
    with pytest.raises(TimeoutError):
        first.result(1.5)
    wanted["B"] = False
    assert isinstance(outcome(first), Unwanted) and isinstance(outcome(second), Unwanted)
    assert (yard.containers(), yard.snapshots()) == ([], [])
    yard.go.set()
    assert yard.ensure("A").built


@pytest.mark.parametrize(
    ("call", "point"),
    [("start", MIDWAY), ("start", AFTER), ("commit", BEFORE), ("commit", MIDWAY), ("stop", BEFORE)],
)
def test_an_engine_that_fails_in_between_leaves_nothing_that_is_used(
    yard: Yard, call: str, point: str
) -> None:
    yard.engine.faults.fail(call, point)
    with pytest.raises(EngineUnavailable):
        yard.ensure("A")
    assert yard.snapshots() == []
    # No failure of the set-up's: the next one tries.
    assert yard.ensure("B").built
    with yard.bench.host.store.read() as session:
        left = [row.role for row in session.exec(select(home.Runner)) if row.status in ACTIVE]
    assert left == []


def half_made(yard: Yard, project: str) -> None:
    """An image without a name: the next one of that name takes it away."""
    labels = {f"{LABEL}.image": "snapshot", f"{LABEL}.project": project}
    yard.engine.images.add("localhost/steroids/taken:1", labels=labels)
    yard.engine.images.add("localhost/steroids/taken:1")


def test_what_never_got_its_name_is_swept_and_nothing_else(yard: Yard) -> None:
    kept = yard.ensure("A").ref
    for project in (yard.bench.project.id, "somebody else's"):
        half_made(yard, project)
    assert sorted(yard.snapshots()) == ["", "", kept]
    snapshot.sweep(yard.engine, {yard.bench.project.id})
    assert sorted(yard.snapshots()) == ["", kept]
    half_made(yard, yard.bench.project.id)
    yard.configure("setup: [make]")
    yard.ensure("A")
    assert len(yard.snapshots()) == 3 and yard.snapshots().count("") == 1


def test_pruning_keeps_the_newest_of_each_kind_and_all_that_are_in_use(yard: Yard) -> None:
    with yard.bench.project.store.write() as session:
        row = sections.named(session, "B")
        row.setup = ["make b"]
        session.add(row)
    b = yard.ensure("B").ref
    # Another runner image, another snapshot; of one kind, since nothing else is another.
    made = []
    for number in range(6):
        image = yard.engine.images.add(f"localhost/steroids/runner:{number}")
        yard.engine.programs[image.id] = yard.engine.programs[yard.image.id]
        yard.image = image
        made.append(yard.ensure("A").ref)
        if number == 0:
            yard.engine.start(ContainerSpec(name="user", image=made[0], command=("sleep", "60")))
    assert set(yard.snapshots()) == {b, made[0], *made[-3:]}
    # In turns, none of the two evicts what the other needs.
    assert not yard.ensure("A").built
    yard.configure("snapshots: {keep: 1}")
    with yard.bench.project.store.write() as session:
        row = sections.named(session, "C")
        row.setup = ["make c"]
        session.add(row)
    for name in ("B", "C", "A", "B", "C"):
        yard.ensure(name)
    built = yard.built
    assert not any(yard.ensure(name).built for name in ("A", "B", "C")) and yard.built == built


def test_one_that_is_removed_since_it_was_found_is_made_again(yard: Yard) -> None:
    first = yard.ensure("A").ref
    yard.engine.images.remove(first)
    assert yard.ensure("A") == Snapshot(first, yard.ensure("A").display, built=True)

    started: list[str] = []

    def start(ref: str) -> str:
        if not started:
            yard.engine.images.remove(ref)
        started.append(ref)
        return yard.engine.start(ContainerSpec(name="one", image=ref, command=("true",))).name

    assert started_from(lambda: yard.ensure("A"), start) == "one"
    assert started == [first, first] and yard.built == 3

    def never(ref: str) -> str:
        raise ImageMissing(ref)

    with pytest.raises(ImageMissing):
        started_from(lambda: yard.ensure("A"), never)
