"""What became of the rows of a table, held against what was to become of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steroids.wire.commit import Attempt, Commit
from steroids.wire.history import History
from steroids.wire.lock import Locks
from steroids.wire.task import Change, Changes, Task, Tasks, TaskStatus
from tests.support.story_repos import Origin
from tests.support.table import STATES, Played, Row, Stage

_LETTERS = {state: letter for letter, state in STATES.items()}
_LOG = "--format=%x00%H%x01%s%x01%(trailers:key=Steroids-Task,valueonly,separator=%x2C)"


@dataclass(frozen=True)
class Landed:
    """A commit on the remote's main."""

    hash: str
    subject: str
    tasks: Sequence[str]
    """Its trailers."""


@dataclass(frozen=True)
class Facts:
    task: Task
    attempts: Sequence[Attempt]
    commits: Sequence[Commit]
    way: str
    landed: Sequence[Landed]


def differences(stage: Stage) -> list[str]:
    """One line per thing that is not as its row has it, and of all that holds for every row."""
    landed = on_main(stage.story.origin)
    tasks = {each.id: each for each in stage.client.get(stage.url("tasks"), Tasks).tasks}
    lines = []
    for played in stage.played:
        facts = _facts(stage, tasks[played.task], landed)
        lines += [
            f"{played.row.name}: {line}" for line in _of_row(stage.story.origin, played, facts)
        ]
        lines += [f"{played.row.name}: {line}" for line in _of_every_row(facts)]
        lines += [f"{played.row.name}: {line}" for line in _of_landing(stage, played.row, facts)]
    held = [each.name for each in stage.client.get(stage.url("locks"), Locks).locks]
    return [*lines, *_of_main(stage, landed), *_differs("locks", [], held)]


def on_main(origin: Origin) -> list[Landed]:
    """Oldest first."""
    found = []
    for entry in origin.git("log", "--reverse", _LOG, "main").split("\0")[1:]:
        name, subject, tasks = entry.rstrip("\n").split("\1")
        found.append(Landed(name, subject, tuple(filter(None, tasks.split(",")))))
    return found


def _facts(stage: Stage, task: Task, landed: Sequence[Landed]) -> Facts:
    history = stage.client.get(stage.url("task/history", task=task.id), History)
    audit = stage.client.get(stage.url("tasks/audit", task=task.id), Changes).audit
    return Facts(
        task,
        history.attempts,
        [commit for attempt in history.attempts for commit in attempt.commits],
        _way(audit),
        [each for each in landed if task.id in each.tasks],
    )


def _way(changes: Sequence[Change]) -> str:
    """Each change has to begin where the one before has ended."""
    way = ""
    for change in changes:
        before = "" if change.from_status is None else _LETTERS[change.from_status]
        assert way[-1:] == before, f"the audit says {change} after {way}"
        way += _LETTERS[change.to_status]
    return way


def _of_row(origin: Origin, played: Played, facts: Facts) -> Iterator[str]:
    """What the row has in words of its own."""
    row, task = played.row, facts.task
    statuses = row.attempts.split()
    yield from _differs("way", row.way, facts.way)
    yield from _differs("end", STATES[row.way[-1]], str(task.status))
    yield from _differs("attempts", statuses, [each.status for each in facts.attempts])
    yield from _differs("rejections", statuses.count("rejected"), task.rejection_count)
    yield from _differs("conflicts", statuses.count("conflict"), task.landing_failures)
    yield from _differs("lost", row.lost, task.infrastructure_failures)
    registered = [f"{c.attempt} {c.status} {_subject(c)}" for c in facts.commits]
    yield from _differs("registry", row.registered, registered)
    yield from _differs("landed", list(row.landed), [each.subject for each in facts.landed])
    last = facts.attempts[-1].outside if facts.attempts else []
    yield from _differs("outside", list(row.outside), last)
    for name, content in row.files.items():
        shown = origin.git_bytes("show", f"main:{played.folder}/{name}", check=False)
        there = _mode(origin, f"{played.folder}/{name}") is not None
        yield from _differs(name, content, shown.decode("latin-1") if there else None)
    for name, mode in row.modes.items():
        yield from _differs(f"mode of {name}", mode, _mode(origin, f"{played.folder}/{name}"))
    reasons = [task.reason, *(each.reason for each in facts.attempts)]
    if not any(row.says in (reason or "") for reason in reasons):
        yield f"nothing says {row.says!r}: {reasons}"
    if row.way != facts.way:
        yield f"because of {sorted({reason for reason in reasons if reason})}"


def _of_every_row(facts: Facts) -> Iterator[str]:
    """What holds whatever the row is about."""
    task = facts.task
    yield from _differs("current attempt", len(facts.attempts), task.current_attempt)
    numbers = [each.number for each in facts.attempts]
    yield from _differs("numbers", list(range(1, len(numbers) + 1)), numbers)
    for before, after in zip(facts.attempts, facts.attempts[1:], strict=False):
        if before.status != "conflict" and after.base_commit != before.tip:
            yield f"attempt {after.number} begins at {after.base_commit}, not at {before.tip}"
    for attempt in facts.attempts:
        if attempt.finished_at is None:
            yield f"attempt {attempt.number} has no end"


def _of_landing(stage: Stage, row: Row, facts: Facts) -> Iterator[str]:
    """What the registry says of the remote has to be there."""
    last = facts.landed[-1].hash if facts.landed else None
    yield from _differs("landed hash", last, facts.task.landed_hash)
    if facts.task.status != TaskStatus.COMPLETED:
        return
    told = {each.landed_hash for each in facts.commits if each.landed_hash}
    if row.merged:
        origin = stage.story.origin
        yield from _differs("not on main", [], [each for each in told if not origin.contains(each)])
    else:
        yield from _differs("landed hashes", {each.hash for each in facts.landed}, told)


def _of_main(stage: Stage, landed: Sequence[Landed]) -> Iterator[str]:
    """Each task once and in one piece, those of a section in their order, nothing rewritten."""
    pieces: list[str] = []
    for each in landed:
        task = ",".join(each.tasks)
        if task and task != (pieces[-1] if pieces else ""):
            pieces.append(task)
    yield from _differs("pieces", sorted(set(pieces)), sorted(pieces))
    names = {each.task: each.row.name for each in stage.played}
    for section in sorted({each.section for each in stage.played}):
        wanted = [p.row.name for p in stage.played if p.section == section and p.row.landed]
        there = [names.get(task, task) for task in pieces]
        found = [name for name in there if name in wanted]
        yield from _differs(f"order in {section}", wanted, found)
    yield from _differs("rewrites of main", [], stage.story.origin.rewrites())


def _mode(origin: Origin, path: str) -> str | None:
    return origin.git("ls-tree", "main", "--", path).partition(" ")[0] or None


def _subject(commit: Commit) -> str:
    return commit.message.splitlines()[0] if commit.message.strip() else ""


def _differs(what: str, wanted: object, found: object) -> Iterator[str]:
    if wanted != found:
        yield f"{what}: wanted {wanted!r}, is {found!r}"
