"""Making the fake engine misbehave, for tests of what the services make of it."""

from dataclasses import dataclass, field

from steroids.errors import EngineUnavailable

BEFORE, MIDWAY, AFTER = "before", "midway", "after"
"""Nothing was done; the first half was (`start` has created and not started); all was done, and
only the answer is lost."""


@dataclass
class Faults:
    down: bool = False
    """Every call fails, and output that is being followed is cut."""
    _planned: list[tuple[str, str]] = field(default_factory=list)

    def fail(self, call: str, at: str = BEFORE, *, times: int = 1) -> None:
        """Let the next `times` calls of that name (`start`, `inspect`, ...) fail there."""
        self._planned += [(call, at)] * times

    def at(self, call: str, point: str) -> None:
        if self.down:
            raise unavailable(call)
        if (call, point) in self._planned:
            self._planned.remove((call, point))
            raise unavailable(call)


def unavailable(call: str) -> EngineUnavailable:
    return EngineUnavailable(f"Fake did not answer to {call}", hint="steroids doctor")
