"""How two versions are compared, and what is blamed on their difference."""

import pytest

from steroids.cli import skew
from steroids.cli.skew import Skew
from steroids.errors import ControllerUnavailable, SteroidsError
from steroids.wire.error import ErrorBody, RemoteError


def remote(code: str) -> RemoteError:
    return RemoteError(ErrorBody(error="no", code=code), 400)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1.10.2", None),
        ("1.10.1", "(1.10.1) is older than this command (1.10.2)"),
        ("1.9.12", "(1.9.12) is older than"),
        ("1.10.10", "(1.10.10) is newer than"),
        ("1.10.2.dev", "(1.10.2.dev) is of another version than"),
        ("unreleased", "(unreleased) is older than"),
        (None, "the running controller is older than this command"),
    ],
)
def test_the_difference_is_said_once(
    version: str | None, words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skew, "__version__", "1.10.2")
    notes: list[str] = []
    listener = Skew(notes.append)
    for _ in range(3):
        listener.heard(version)
    assert len(notes) == (words is not None)
    if words is not None:
        assert words in notes[0] and "\nhint: steroids daemon restart" in notes[0]


def test_only_what_nobody_meant_is_blamed_on_it() -> None:
    listener = Skew(lambda text: None)
    unknown, unreadable = SteroidsError("404"), ControllerUnavailable("not JSON")
    for error in (unknown, unreadable, remote("BAD_BODY"), remote("BUSY")):
        assert listener.judged(error) is error
    listener.heard("0.0.1")
    for error in (unknown, unreadable, remote("BAD_BODY")):
        judged = listener.judged(error)
        assert judged.code == "VERSION_SKEW" and judged.details == {"cause": error.message}
    busy = remote("BUSY")
    assert listener.judged(busy) is busy
