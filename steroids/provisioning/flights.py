"""One builds, and the others who want the same wait for it, and share what it comes to."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from steroids.errors import SetupFailed


@dataclass
class Flight:
    """A build that is under way."""

    owner: str | None
    """The section that it was begun for; none: the project."""
    over: Future[None] = field(default_factory=Future)
    wanted: list[Callable[[], bool]] = field(default_factory=list)
    """Of each who waits for it: whether that is still so."""

    def is_wanted(self) -> bool:
        return any(still() for still in [*self.wanted])


@dataclass(frozen=True)
class Failure:
    owner: str | None
    error: SetupFailed


class Flights:
    """By key. A single controller owns the home, so that memory is enough to know them all."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards both
        self._under_way: dict[str, Flight] = {}
        self._failed: dict[str, Failure] = {}

    def failure(self, key: str) -> Failure | None:
        """What came of it last, if its set-up failed and nobody has asked to try again since."""
        with self._guard:
            return self._failed.get(key)

    def forget_failures(self, project_id: str) -> None:
        """Somebody asks to try again all that a project needs."""
        with self._guard:
            for key in [each for each in self._failed if project_id in each]:
                del self._failed[key]

    def join(self, key: str, owner: str | None, wanted: Callable[[], bool]) -> tuple[Flight, bool]:
        """The build of `key` that is under way, or one that the caller is to do (True)."""
        with self._guard:
            known = self._under_way.get(key)
            flight = known or self._under_way.setdefault(key, Flight(owner))
            flight.wanted.append(wanted)
            return flight, known is None

    @contextlib.contextmanager
    def under_way(self, key: str, flight: Flight) -> Iterator[None]:
        """While the caller builds it; tells all who wait how it ended."""
        try:
            yield
        except BaseException as error:
            with self._guard:
                del self._under_way[key]
                if isinstance(error, SetupFailed):
                    self._failed[key] = Failure(flight.owner, error)
            flight.over.set_exception(error)
            raise
        with self._guard:
            del self._under_way[key]
            self._failed.pop(key, None)
        flight.over.set_result(None)
