"""What cron can say, and what it cannot."""

import pytest

from steroids.cli.cron_schedule import parse
from steroids.errors import UsageError


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        ("1m", "* * * * *", "every minute"),
        ("5m", "*/5 * * * *", "every 5 minutes"),
        ("30 min", "*/30 * * * *", "every 30 minutes"),
        ("60m", "0 * * * *", "every hour"),
        ("1h", "0 * * * *", "every hour"),
        ("12H", "0 */12 * * *", "every 12 hours"),
        ("24h", "0 0 * * *", "every day"),
        ("1d", "0 0 * * *", "every day"),
    ],
)
def test_what_divides_the_hour_or_the_day(text: str, fields: str, words: str) -> None:
    schedule = parse(text)
    assert (schedule.cron, str(schedule)) == (fields, words)


@pytest.mark.parametrize("text", ["7m", "45m", "90m", "5h", "36h", "2d"])
def test_what_does_not_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(UsageError, match=f"cron cannot say 'every {text}'") as refused:
        parse(text)
    assert refused.value.hint is not None and "1m to 30m" in refused.value.hint


@pytest.mark.parametrize("text", ["", "m", "0m", "-1m", "30s", "1.5h", "often", "1m1", "99999m"])
def test_what_is_no_time_at_all(text: str) -> None:
    with pytest.raises(UsageError, match="is no time between two wakeups"):
        parse(text)
