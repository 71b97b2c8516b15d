"""How often: what cron can say, and so what the others are asked for as well."""

import re
from dataclasses import dataclass

from steroids.errors import UsageError

_MINUTES = {"m": 1, "min": 1, "h": 60, "d": 1440}
HINT = "steroids runners cron install --every 5m   (1m to 30m, 1h to 12h, 1d)"


@dataclass(frozen=True)
class Schedule:
    minutes: int

    @property
    def cron(self) -> str:
        """The five fields of a crontab."""
        if self.minutes == 1440:
            return "0 0 * * *"
        hours, minutes = divmod(self.minutes, 60)
        if hours:
            return f"0 {_each(hours)} * * *"
        return f"{_each(minutes)} * * * *"

    def __str__(self) -> str:
        for unit, size in (("day", 1440), ("hour", 60)):
            if self.minutes % size == 0:
                number = self.minutes // size
                return f"every {unit}" if number == 1 else f"every {number} {unit}s"
        return "every minute" if self.minutes == 1 else f"every {self.minutes} minutes"


def parse(text: str) -> Schedule:
    """`1m`, `5m`, `1h`, `1d`. Raises `UsageError` for what is no time between two wakeups, or not
    one that divides the hour or the day: cron begins anew with each."""
    found = re.fullmatch(r"([0-9]{1,4}) ?(m|min|h|d)", text.strip().lower())
    if found is None or int(found[1]) == 0:
        raise UsageError(
            f"'{text}' is no time between two wakeups: minutes, hours or a day, as 5m, 1h, 1d",
            hint=HINT,
        )
    minutes = int(found[1]) * _MINUTES[found[2]]
    even = 60 % minutes == 0 if minutes < 60 else minutes % 60 == 0 and 1440 % minutes == 0
    if not even:
        what = "hour" if minutes < 60 else "day"
        raise UsageError(
            f"cron cannot say 'every {text.strip()}': it has to divide the {what}", hint=HINT
        )
    return Schedule(minutes)


def _each(number: int) -> str:
    return "*" if number == 1 else f"*/{number}"
