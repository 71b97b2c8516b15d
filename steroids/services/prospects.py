"""What may still become of a project's tasks while no person does anything.

A section, or a task that waits for others, has a future when everything before it has one. What
goes round in a circle (a section after another, whose task waits for one of the first) has none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlmodel import Session, col, select

from steroids.scheduling.future import attainable
from steroids.scheduling.locks import Board, Held
from steroids.scheduling.rules import Rules
from steroids.services import sections, task_order
from steroids.services.demand import BEGUN
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus as S

FOR_A_PERSON = ((col(db.Task.status) == S.APPROVED) & col(db.Task.push_refused)) | (
    (col(db.Task.status) == S.REVIEW) & col(db.Task.awaits).is_not(None)
)
"""It holds its locks, and nothing goes on with it until somebody has looked: the remote refused
it, or a person has to review it."""

BEGINS, ENDS, UNBLOCKS = "begins", "ends", "unblocks"
"""Of a section: its pending tasks will be begun; all of them will be completed. Of a task: it will
not be blocked any more."""
Node = tuple[str, str]
"""One of these, and whose."""
NEVER: Node = ("never", "")
MOST_NAMED = 5


@dataclass(frozen=True)
class Stuck:
    """A task that is blocked and will stay so: what to say of it, and the command that helps."""

    task: db.Task
    text: str
    hint: str | None


def prospects(session: Session, rules: Rules, also: Iterable[str] = ()) -> "Prospects":
    """With runners in the sections that somebody wants some for, and in these (ids)."""
    wanted = select(db.Section.id).where(col(db.Section.wanted).is_not(None))
    return Prospects(session, rules, {*session.exec(wanted), *also})


class Prospects:
    """As of the session's transaction; reads what it needs when it is asked, and once.

    `staffed` are ids of the sections that have a runner, or that somebody wants one for; none: all
    of them. A task that waits for one of another section has no future when nobody works there.
    """

    def __init__(self, session: Session, rules: Rules, staffed: Collection[str] | None) -> None:
        self._session = session
        self._rules = rules
        self._staffed = staffed

    def work_left(self, section_id: str) -> bool:
        """Whether the section has a task that may yet need a runner.

        Not one that a person has to look at first, nor what waits for such a one: for its locks,
        for its section to be finished, or for itself to be completed. Nor the pending tasks of a
        skipped section.
        """
        if section_id not in self._rules.sections:
            return False
        found = self._statuses[section_id]
        if found & {*BEGUN} and section_id not in self._for_a_person:
            return True
        if (BEGINS, section_id) not in self._coming:
            return False
        unblocked = ((UNBLOCKS, each) in self._coming for each in self._blocked[section_id])
        return S.PENDING in found or any(unblocked)

    def waits(self, section_id: str) -> bool:
        """Whether a runner would have nothing to do there yet: others have to be finished first."""
        found = self._statuses[section_id]
        only_blocked = S.BLOCKED in found and not found & {S.PENDING, *BEGUN}
        return only_blocked or bool(self._rules.blocked_by(section_id))

    def waits_for(self, section_id: str) -> str | None:
        """What the first of its blocked tasks that will not stay so waits for, in words."""
        ids = [each for each in self._blocked[section_id] if (UNBLOCKS, each) in self._coming]
        rows = [self._session.get_one(db.Task, each) for each in ids[:1]]
        before = task_order.waiting(self._session, rows)
        return next((task_order.words(each) for each in before.values() if each), None)

    def stuck_behind(self, section_id: str) -> list[str]:
        """Names of the sections that it comes after and that will not be finished as it is."""
        before = self._rules.blocked_by(section_id)
        return [each.name for each in before if (ENDS, each.id) not in self._coming]

    def stuck_tasks(self, section_id: str) -> list[Stuck]:
        """Those of its tasks that are blocked and will stay so; the first few, since there may be
        hundreds."""
        ids = [each for each in self._blocked[section_id] if (UNBLOCKS, each) not in self._coming]
        rows = [self._session.get_one(db.Task, each) for each in ids[:MOST_NAMED]]
        before = task_order.waiting(self._session, rows)
        return [self._stuck(row, before[row.id]) for row in rows]

    def _stuck(self, row: db.Task, before: Sequence[db.Task]) -> Stuck:
        text = f"'{row.title}' is blocked: it waits for {task_order.words(before)}"
        way_out = task_order.way_out(row, before)
        away = [each for each in before if self._nobody_in(each.section_id)]
        if way_out is None and away:
            section = self._session.get_one(db.Section, away[0].section_id).name
            text += f", and {section} has no runner"
            way_out = f"steroids up --section '{section}'"
        return Stuck(row, text, way_out)

    def _nobody_in(self, section_id: str) -> bool:
        return self._staffed is not None and section_id not in self._staffed

    @cached_property
    def _coming(self) -> set[Node]:
        needs: dict[Node, list[Node]] = {}
        lost: set[Node] = set()
        for each in self._rules.sections:
            found = self._statuses[each]
            needs[BEGINS, each] = [(ENDS, other.id) for other in self._rules.blocked_by(each)]
            if self._rules.sections[each].skipped or self._behind_a_person(each):
                lost.add((BEGINS, each))
            needs[ENDS, each] = [(UNBLOCKS, task) for task in self._blocked[each]]
            if found & {S.PENDING, S.BLOCKED}:
                needs[ENDS, each].append((BEGINS, each))
            if found & {S.FAILED, S.DISPUTED} or each in self._for_a_person:
                lost.add((ENDS, each))
        for task, _, after in self._all_blocked:
            needs[UNBLOCKS, task] = [node for each in after for node in self._completes(each)]
        return attainable(needs, {*lost, NEVER})

    def _completes(self, task_id: str) -> list[Node]:
        """What a task that others wait for needs, to be completed."""
        status, section_id, for_a_person = self._predecessors[task_id]
        if status == S.COMPLETED or (status in BEGUN and not for_a_person):
            return []
        if self._nobody_in(section_id) or section_id not in self._rules.sections:
            return [NEVER]
        if status == S.PENDING:
            return [(BEGINS, section_id)]
        return [(BEGINS, section_id), (UNBLOCKS, task_id)] if status == S.BLOCKED else [NEVER]

    def _behind_a_person(self, section_id: str) -> bool:
        """Whether what a person has to look at holds what this section needs."""
        if section_id in self._for_a_person:
            return True
        return bool(self._held.blockers(self._rules.locks_of_section(section_id)))

    @cached_property
    def _held(self) -> Board:
        living = [each for each in self._for_a_person if each in self._rules.sections]
        locks = (lock for each in living for lock in self._rules.locks_of_section(each))
        return Board(Held(lock, "") for lock in locks)

    @cached_property
    def _for_a_person(self) -> set[str]:
        """Ids of the sections whose locks are held until a person has looked."""
        return set(self._session.exec(select(db.Task.section_id).where(FOR_A_PERSON)))

    @cached_property
    def _statuses(self) -> defaultdict[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        query = select(db.Task.section_id, db.Task.status).distinct()
        for section_id, status in self._session.exec(
            query.where(col(db.Task.status).in_(sections.KEEPING))
        ):
            found[section_id].add(status)
        return found

    @cached_property
    def _all_blocked(self) -> Sequence[tuple[str, str, Sequence[str]]]:
        """Ids, each with its section and what it comes after, in the order of work."""
        if not any(S.BLOCKED in each for each in self._statuses.values()):
            return []
        query = select(db.Task.id, db.Task.section_id, db.Task.after).order_by(
            col(db.Task.priority), col(db.Task.position)
        )
        return self._session.exec(query.where(db.Task.status == S.BLOCKED)).all()

    @cached_property
    def _blocked(self) -> defaultdict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for task_id, section_id, _ in self._all_blocked:
            found[section_id].append(task_id)
        return found

    @cached_property
    def _predecessors(self) -> dict[str, tuple[str, str, bool]]:
        """Of each task that a blocked one comes after: its state, its section, and whether a
        person has to look at it."""
        wanted = {each for _, _, after in self._all_blocked for each in after}
        query = select(db.Task.id, db.Task.status, db.Task.section_id, FOR_A_PERSON)
        rows = self._session.exec(query.where(col(db.Task.id).in_(wanted)))
        return {task_id: (status, section, bool(held)) for task_id, status, section, held in rows}
