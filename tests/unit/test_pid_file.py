import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from steroids.containment import pid_file
from steroids.containment.pid_file import MAX_BYTES, Held, Record, claim, let_go, read, this_process
from steroids.errors import SteroidsError

GOOD = '{"pid": 7, "created": 1.5, "home": "/h", "argv": ["a"], "project": null}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "controller.pid"


def test_the_record_says_who_holds_the_place(path: Path) -> None:
    me = this_process(path.parent, "/p")
    lock = claim(path, me)
    assert read(path) == me
    assert (me.pid, me.project, me.home) == (os.getpid(), "/p", str(path.parent))
    assert pid_file.lock_path(path).read_text() == f"{os.getpid()}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Held) as held:
        claim(path, me._replace(pid=1))
    assert (held.value.pid, held.value.record) == (os.getpid(), me)
    assert read(path) == me
    let_go(path, lock)
    assert not path.exists()
    let_go(path, claim(path, me))
    assert sorted(each.name for each in path.parent.iterdir()) == ["controller.lock"]


def test_a_successor_in_a_new_folder_keeps_its_record(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "controller.pid"
    me = this_process(home)
    old = claim(path, me)
    home.rename(tmp_path / "moved")
    home.mkdir()
    assert not pid_file.holds(path, old)
    new = claim(path, me._replace(project="/new"))
    let_go(path, old)
    assert read(path) == me._replace(project="/new")
    assert pid_file.holds(path, new)
    let_go(path, new)


def test_what_words_cannot_say_survives(path: Path) -> None:
    record = Record(7, 1.5, "/h\udcff\n", ["a\udc80 b", "'\"\\\0"], None)
    lock = claim(path, record)
    assert read(path) == record
    let_go(path, lock)


def _link(path: Path) -> None:
    target = path.with_name("target")
    target.write_text(GOOD)
    path.symlink_to(target)


WRONG: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "empty": lambda path: path.write_text(""),
    "half": lambda path: path.write_text(GOOD[:40]),
    "garbage": lambda path: path.write_bytes(os.urandom(999)),
    "not UTF-8": lambda path: path.write_bytes(b'{"pid": "\xff"}'),
    "an old one": lambda path: path.write_text("1234\n"),
    "a list": lambda path: path.write_text("[1, 2]"),
    "nested": lambda path: path.write_text("[" * 100_000),
    "another type": lambda path: path.write_text(GOOD.replace("7", "true")),
    "no process": lambda path: path.write_text(GOOD.replace("7", "0")),
    "all processes": lambda path: path.write_text(GOOD.replace("7", "-1")),
    "a large number": lambda path: path.write_text(GOOD.replace("7", "9" * 5000)),
    "a large time": lambda path: path.write_text(GOOD.replace("1.5", "9" * 400)),
    "words": lambda path: path.write_text(GOOD.replace('["a"]', '"a"')),
    "numbers": lambda path: path.write_text(GOOD.replace('["a"]', "[1]")),
    "no home": lambda path: path.write_text(GOOD.replace('"/h"', "null")),
    "huge": lambda path: path.write_text(GOOD + " " * MAX_BYTES),
    "a link": _link,
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_lies_there_is_no_record_and_keeps_nobody_from_starting(
    path: Path, name: str
) -> None:
    WRONG[name](path)
    assert read(path) is None
    if name == "a folder":
        with pytest.raises(SteroidsError) as refused:
            claim(path, this_process(path.parent))
        assert refused.value.message == f"{path} cannot be written: Is a directory"
        path.rmdir()
    lock = claim(path, this_process(path.parent))
    assert read(path) == this_process(path.parent)
    let_go(path, lock)
    if name == "a link":
        assert path.with_name("target").read_text() == GOOD


def test_a_record_is_read() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "controller.pid")
        path.write_text(GOOD)
        assert read(path) == Record(7, 1.5, "/h", ["a"], None)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "controller.pid"
    assert read(path) is None
    with pytest.raises(SteroidsError, match="No such file or directory"):
        claim(path, this_process(tmp_path))
