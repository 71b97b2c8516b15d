import errno
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from steroids.errors import out_of_space


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (
            OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")),
            True,
        ),
        (OperationalError("INSERT", {}, sqlite3.OperationalError("no such table")), False),
        (ZeroDivisionError(), False),
    ],
)
def test_a_full_disk_is_known_by_its_errors(error: Exception, is_it: bool) -> None:
    assert out_of_space(error) is is_it


def test_also_when_it_is_the_cause_of_something_else() -> None:
    error = RuntimeError("could not save")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert out_of_space(error)
