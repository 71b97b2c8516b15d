"""The controller's log: how records are written, read again, shown and followed."""

import json
import logging
import logging.handlers
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from steroids.cli.log_record import as_json, as_text, is_at_least, record_of
from steroids.cli.log_tail import LogTail
from steroids.controller.log_file import MAX_TEXT, JsonLines, log_to

HOSTILE = (
    "a\n2026-01-01 00:00:00 ERROR   steroids  forged",
    'b\n{"time": "2026-01-01T00:00:00+00:00", "level": "error", "message": "forged"}',
    "c\r\x1b[2J\x1b]0;title\x07\x9b31m\x85d\u2028e\u202ef",
    "lone \ud800 surrogate and a \x00",
)


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[logging.Logger]:
    """One that writes small files in turns."""
    # In nobody's tree: what pytest takes down of others has to be text that can be sent.
    made = logging.Logger("steroids.test_controller_log")
    handler = logging.handlers.RotatingFileHandler(tmp_path / "c.log", maxBytes=2000, backupCount=3)
    handler.setFormatter(JsonLines())
    made.addHandler(handler)
    made.setLevel(logging.INFO)
    yield made
    made.removeHandler(handler)
    handler.close()


def everything(path: Path) -> list[bytes]:
    return last(path, 1000)


def last(path: Path, number: int) -> list[bytes]:
    with LogTail(path) as tail:
        return tail.last(number, lambda line: True)


def test_a_record_has_its_fields_and_its_trace(logger: logging.Logger, tmp_path: Path) -> None:
    logger.info("runner %s ends", "abc", extra={"pid": 17, "argv": ["a", "b"], "why": "x y"})
    try:
        raise ValueError("no\nsuch")
    except ValueError:
        logger.exception("went wrong")
    first, second = (record_of(line) or {} for line in everything(tmp_path / "c.log"))
    assert (first["level"], first["message"]) == ("info", "runner abc ends")
    assert (first["logger"], first["pid"], first["why"]) == (logger.name, 17, "x y")
    assert second["level"] == "error" and "ValueError: no\nsuch" in second["trace"]
    shown = as_text(everything(tmp_path / "c.log")[0])
    assert shown.endswith(
        f"INFO    {logger.name}  runner abc ends  pid=17  argv=\"['a', 'b']\"  why=\"x y\""
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_a_record_or_drives_a_terminal(
    logger: logging.Logger, tmp_path: Path, text: str
) -> None:
    logger.warning("%s", text, extra={"field": text, "na\nme": text})
    (line,) = everything(tmp_path / "c.log")
    record = record_of(line)
    assert record is not None and record["message"] == text and record["field"] == text
    assert json.loads(as_json(line)) == record and as_json(line).isascii()
    shown = as_text(line)
    assert all(each.startswith("    | ") for each in shown.split("\n")[1:])
    assert not set(shown) & set("\x1b\r\x07\x9b\x85\x00\u2028\u202e")
    shown.encode()
    foreign = as_text(text.encode("utf-8", "replace").replace(b"\n", b" "))
    assert foreign.startswith("? ") and not set(foreign) & set("\x1b\r\x07\u202e")


def test_what_is_huge_is_cut(logger: logging.Logger, tmp_path: Path) -> None:
    logger.info("%s", "x" * 10_000_000, extra={"more": "y" * 10_000_000})
    (line,) = everything(tmp_path / "c.log")
    assert len(line) < 3 * MAX_TEXT and b"characters ...]" in line
    assert len(as_text(line)) < len(line)
    assert len(as_text(b"z" * 10_000_000)) < MAX_TEXT


def test_levels(logger: logging.Logger, tmp_path: Path) -> None:
    for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "of %d", level)
    path = tmp_path / "c.log"
    path.write_bytes(path.read_bytes() + b"no record\n[1]\n" + b"[" * 100_000 + b"\n")
    with LogTail(path) as tail:
        worse = tail.last(10, lambda line: is_at_least(line, "warning"))
    assert [(record_of(line) or {})["message"] for line in worse] == ["of 30", "of 40", "of 50"]
    assert [as_text(line)[:3] for line in everything(path)[-3:]] == ["? n", "? [", "? ["]
    assert json.loads(as_json(b"no record")) == {"raw": "no record"}


def test_the_last_are_found_over_files_and_followed_over_their_turns(
    logger: logging.Logger, tmp_path: Path
) -> None:
    path = tmp_path / "c.log"

    def write(numbers: Iterable[int]) -> None:
        for number in numbers:
            logger.info("%d", number)

    write(range(30))
    assert (tmp_path / "c.log.1").exists()

    def number_of(line: bytes) -> int:
        return int((record_of(line) or {})["message"])

    with LogTail(path) as tail:
        assert [number_of(line) for line in tail.last(20, lambda line: True)] == [*range(10, 30)]
        writing = threading.Thread(target=write, args=(range(30, 50),))
        writing.start()
        found = []
        for line in tail.follow():
            found.append(number_of(line))
            if found[-1] == 49:
                break
        writing.join()
    assert found == [*range(30, 50)]
    assert last(path, 0) == []


def test_a_log_that_is_yet_to_come_is_followed_and_one_that_was_emptied(tmp_path: Path) -> None:
    path = tmp_path / "c.log"
    with LogTail(path) as tail:
        assert tail.last(5, lambda line: True) == []
        coming = tail.follow()
        path.write_bytes(b"one\nhalf")
        assert next(coming) == b"one"
        with path.open("ab") as file:
            file.write(b" two\n")
        assert next(coming) == b"half two"
        path.write_bytes(b"3\n")
        assert next(coming) == b"3"


def test_half_a_line_that_was_left_takes_no_record_with_it(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "c.log"
    path.parent.mkdir()
    path.write_bytes(b'{"time": "20')
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        log_to(path)
        root.warning("whole")
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = before
        root.setLevel(level)
    torn, whole = everything(path)
    assert record_of(torn) is None and (record_of(whole) or {})["message"] == "whole"
