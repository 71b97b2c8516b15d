"""Adding the tasks of a file: all of them or none."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session, col, select

from steroids.errors import Ambiguous, NotFound, SteroidsError
from steroids.services import checklist, sections, task_order, task_rules, task_sheet, tasks
from steroids.services.host import Host, OpenProject
from steroids.services.naming import find
from steroids.services.task_draft import Draft, Drafts, bad, prepared
from steroids.store import project_models as db
from steroids.wire.task import Imported, LeftOut, Sheet, TaskAdd, TaskImport

_YAML_NAME = re.compile(r"\.(ya?ml|json)\Z", re.IGNORECASE)
_YAML_START = re.compile(
    rf"""(?:-\s+{{?\s*["']?(?:{"|".join(task_sheet.KEYS)})|{{?\s*["']?tasks)["']?\s*:|\[\s*{{"""
)


def take_in(host: Host, project: OpenProject, body: TaskImport) -> Imported:
    """Add what is not there yet: a task of the same title in the same section is left out.

    With `dry_run` the same is answered, and nothing is kept. Raises `BadSheet`, or what
    `tasks.add` raises, with file and line.
    """
    drafts = _read(body)
    with project.store.write() as session:
        imported = _Import(host, project, session, body).all(drafts)
        if body.dry_run:
            session.rollback()
    host.changed()
    return imported


def _read(body: TaskImport) -> Drafts:
    text = prepared(body.name, body.text)
    sheet = body.sheet or _kind(body.name, text)
    read = task_sheet.read if sheet is Sheet.YAML else checklist.read
    return read(body.name, text)


def _kind(name: str, text: str) -> Sheet:
    if _YAML_NAME.search(name):
        return Sheet.YAML
    if "." in name:
        return Sheet.MARKDOWN
    # Of standard input: a `#` begins a comment in one of them and a heading in the other.
    lines = [line for line in text.split("\n") if line.strip(" -") and not line.startswith("#")]
    return Sheet.YAML if _YAML_START.match("\n".join(lines)) else Sheet.MARKDOWN


class _Import:
    def __init__(
        self, host: Host, project: OpenProject, session: Session, body: TaskImport
    ) -> None:
        self._host, self._project, self._session, self._body = host, project, session, body
        self._sections = sections.every(session)
        self._there: dict[tuple[str, str], str] = {}
        """Ids of tasks, by section and title."""
        self._rows: list[tuple[db.Task, str]] = []
        """What is added, each with the name of its section."""
        self._left_out: list[LeftOut] = []

    def all(self, drafts: Drafts) -> Imported:
        living = select(db.Task.section_id, db.Task.title, db.Task.id)
        for section, title, task_id in self._session.exec(
            living.where(col(db.Task.removed_at).is_(None))
        ):
            self._there.setdefault((section, title), task_id)
        position = tasks.last_position(self._session)
        added: list[tuple[Draft, db.Task]] = []
        for draft in drafts.tasks:
            with self._at(draft):
                row = self._one(draft, position + len(added) + 1)
            added += [(draft, row)] if row else []
        self._session.flush()
        for draft, row in added:
            with self._at(draft):
                tasks.enter(self._session, row, self._after(draft, row))
        self._session.flush()
        made = tasks.wire_all(self._session, self._rows)
        return Imported(tasks=made, left_out=self._left_out, done=drafts.done)

    @contextmanager
    def _at(self, draft: Draft) -> Iterator[None]:
        """Whatever is wrong is said with the line where it is."""
        try:
            yield
        except SteroidsError as error:
            raise bad(self._body.name, draft.line, error.message, error.hint) from error

    def _one(self, draft: Draft, position: int) -> db.Task | None:
        section = self._section(draft)
        title = task_rules.title_of(draft.title)
        there = self._there.get((section.id, title))
        if there is not None:
            self._leave_out(draft, title, section.name, there)
            return None
        body = TaskAdd(
            title=title,
            section=section.name,
            spec=draft.spec,
            priority=draft.priority,
            affected_paths=list(draft.affected_paths),
            agent=draft.agent,
        )
        tasks.checked_new(self._host, self._project, body)
        row = tasks.new_row(body, title, section.id, position)
        self._session.add(row)
        self._there[section.id, title] = row.id
        self._rows.append((row, section.name))
        return row

    def _leave_out(self, draft: Draft, title: str, section: str, there: str) -> None:
        mine = any(row.id == there for row, _ in self._rows)
        out = LeftOut(
            title=title,
            section=section,
            line=draft.line,
            reason="it is in the file twice" if mine else "it is there already",
            task_id=None if mine else there,
        )
        self._left_out.append(out)

    def _section(self, draft: Draft) -> db.Section:
        """The innermost heading that names one; else the one that was given for all."""
        named = {row.name.casefold(): row for row in self._sections}
        for word in draft.sections:
            if word.casefold() in named:
                return named[word.casefold()]
        asked = self._body.section or next(iter(draft.sections), None)
        if asked is None:
            raise NotFound(
                f"'{draft.title[:80]}' is in no section",
                hint="put it below a heading that names one, or: --section S",
            )
        return find("section", asked, self._sections, lambda row: row.id, lambda row: row.name)

    def _after(self, draft: Draft, row: db.Task) -> list[str]:
        """Ids of what it comes after, which may stand further down in the file."""
        after = list(dict.fromkeys(map(self._named, draft.after)))
        task_order.refuse_cycle(self._session, row, after)
        return after

    def _named(self, word: str) -> str:
        """A title of the file goes before those of other tasks."""
        title = " ".join(word.split())
        here = [row.id for row, _ in self._rows if row.title == title]
        if len(here) > 1:
            raise Ambiguous(
                f"'{title}' fits {len(here)} tasks of the file",
                hint="give them titles of their own",
            )
        return here[0] if here else tasks.named(self._session, word).id
