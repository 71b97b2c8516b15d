"""What was measured, side by side: ours, theirs, their ratio, and whether that is as wanted."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Line:
    what: str
    ours: float
    unit: str
    theirs: float | None = None
    against: str = ""
    """What `theirs` is."""
    at_most: float | None = None
    """Wanted: no more than this ratio, or without `theirs` no more than this value."""
    at_least: float | None = None
    """Wanted: theirs is this many times ours."""
    rate_at_least: float | None = None
    """Wanted, of what is better when there is more of it: ours is this many times theirs."""

    @property
    def ratio(self) -> float | None:
        """Ours to theirs; theirs to ours where it has to be many times as much."""
        if self.theirs is None:
            return None
        return self.theirs / self.ours if self.at_least else self.ours / self.theirs

    @property
    def ok(self) -> bool | None:
        """None: nothing is wanted, it is for information."""
        value = self.ours if self.ratio is None else self.ratio
        if self.at_least is not None:
            return value >= self.at_least
        if self.rate_at_least is not None:
            return value >= self.rate_at_least
        return None if self.at_most is None else value <= self.at_most

    @property
    def wanted(self) -> str:
        unit = "x" if self.theirs is not None else f" {self.unit}"
        if self.at_least is not None:
            return f">= {self.at_least:g}x less"
        if self.rate_at_least is not None:
            return f">= {self.rate_at_least:g}{unit}"
        return "" if self.at_most is None else f"<= {self.at_most:g}{unit}"

    def as_json(self) -> dict[str, object]:
        plain = asdict(self)
        return {
            "what": self.what,
            "ours": self.ours,
            "theirs": self.theirs,
            "against": self.against,
            "unit": self.unit,
            "ratio": self.ratio,
            "atMost": plain["at_most"],
            "atLeast": plain["at_least"],
            "rateAtLeast": plain["rate_at_least"],
            "ok": self.ok,
        }


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


HEADS = ("what", "ours", "theirs", "against", "ratio", "wanted", "")


def table(lines: Sequence[Line]) -> str:
    rows = [HEADS, *(_row(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(line: Line) -> tuple[str, ...]:
    theirs = "" if line.theirs is None else _amount(line.theirs, line.unit)
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}x"
    mark = {None: "", True: "ok", False: "MISSED"}[line.ok]
    ours = _amount(line.ours, line.unit)
    return line.what, ours, theirs, line.against, ratio, line.wanted, mark


def _amount(value: float, unit: str) -> str:
    digits = 0 if unit in ("kB", "ms", "/s") else 2 if value < 10 else 1
    return f"{value:.{digits}f} {unit}"
