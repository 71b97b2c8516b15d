"""The list of tasks: what is said of one that waits, and lines that fit into the terminal."""

import sys
from typing import Any

import msgspec
import pytest

from steroids.cli import task_list
from steroids.cli.columns import cut, fit
from steroids.wire.task import Task, TaskStatus

NOW = "2026-01-01T00:00:00Z"
FIELDS: dict[str, Any] = {
    **dict.fromkeys(("id", "title", "section", "sectionId", "spec"), "x"),
    **dict.fromkeys(("priority", "position", "currentAttempt", "rejectionCount"), 0),
    **dict.fromkeys(("landingFailures", "infrastructureFailures"), 0),
    **dict.fromkeys(("baseCommit", "latestCommit", "attemptBaseCommit", "reason"), None),
    **dict.fromkeys(("landedHash", "completedAt"), None),
    **dict.fromkeys(("createdAt", "updatedAt"), NOW),
    "affectedPaths": [],
}


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        (TaskStatus.PENDING, {}, ""),
        (TaskStatus.REVIEW, {}, ""),
        (TaskStatus.REVIEW, {"awaits": "human"}, "your review"),
        (TaskStatus.APPROVED, {}, ""),
        (TaskStatus.APPROVED, {"pushRefused": True}, "steroids push: the remote refused it"),
        (TaskStatus.BLOCKED, {"waitsFor": "'X', which failed"}, "'X', which failed"),
    ],
)
def test_what_a_task_waits_for(status: TaskStatus, more: dict[str, Any], words: str) -> None:
    task = msgspec.convert({**FIELDS, "status": status, **more}, Task)
    assert task_list._waits_for(task) == words


def test_the_widest_columns_are_cut_until_a_row_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    heads = ["ID", "TITLE", "WHY"]
    rows = [["12345678", "t" * 60, "w" * 40], ["12345678", "short", "\x1b[31mred"]]
    before = [list(row) for row in rows]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    fit(heads, rows, "TITLE", "WHY", "NOT THERE")
    assert rows == before, "a program reads all of it"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    fit(heads, rows, "TITLE", "WHY", "NOT THERE")
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    assert sum(widths) + 2 * 2 == 80 and widths[0] == 8 and widths[1] == widths[2]
    assert rows[1] == ["12345678", "short", "red"]
    fit(heads, rows, "TITLE")
    monkeypatch.setenv("COLUMNS", "10")
    fit(heads, rows, "TITLE", "WHY")
    assert [len(cell) for cell in rows[0]] == [8, 20, 20], "not to nothing"


def test_cut_says_that_it_has_cut() -> None:
    assert (cut("abc", 3), cut("abcd efgh", 8)) == ("abc", "abcd...")
