"""Which projects are looked at in each round: of a thousand on a host most have nothing going on.

A project is awake while a runner of its lives, while somebody wants a single one for all of it,
and for a while after anybody has opened it: a request, which may be about to change something, or
a look at its store that found something under way (`rousing`).
"""

import threading
import time
from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.store import home_models as home
from steroids.wire.runner import ACTIVE

LINGER_S = 600.0
"""Longer than any request needs from opening a project to its last change of it."""


class Awake:
    """One per controller; may be used from every thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards _touched
        self._touched: dict[str, float] = {}
        """Ids, and when by the monotonic clock somebody last opened the project."""

    def touch(self, project_id: str) -> None:
        """Something may be about to happen in it."""
        with self._guard:
            self._touched[project_id] = time.monotonic()

    def settle(self, project_id: str) -> None:
        """Nothing goes on there now; it falls asleep when nobody has opened it for some time."""
        with self._guard:
            touched = self._touched.get(project_id)
            if touched is not None and time.monotonic() - touched > LINGER_S:
                del self._touched[project_id]

    def rows(self, session: Session) -> Sequence[home.Project]:
        """Those that are awake, of the home's store, by their paths."""
        with self._guard:
            touched = set(self._touched)
        staffed = select(home.Runner.project_id).where(col(home.Runner.status).in_(ACTIVE))
        awake = (
            col(home.Project.id).in_(touched)
            | col(home.Project.wanted).is_not(None)
            | col(home.Project.id).in_(staffed)
        )
        return session.exec(select(home.Project).where(awake).order_by(home.Project.path)).all()
