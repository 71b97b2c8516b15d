"""What a runner gives back of files that an agent's programs have made."""

import os
from pathlib import Path

import pytest

from steroids.runner import collecting
from steroids.runner.collecting import collect


def test_files_come_back_as_text_and_what_is_not_there_as_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "lock").write_text("größe\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert collect(tmp_path, ["a/lock", "gone", "a", "binary", "a/lock/x", "x/y"]) == {
        **{"a/lock": "größe\n", "gone": None, "a": None, "binary": None},
        **{"a/lock/x": None, "x/y": None},
    }


def test_nothing_outside_the_workspace_can_be_had(tmp_path: Path) -> None:
    root, secret = tmp_path / "workspace", tmp_path / "outside" / "secret"
    root.mkdir()
    secret.parent.mkdir()
    secret.write_text("secret")
    (root / "link").symlink_to(secret)
    (root / "folder").symlink_to(secret.parent)
    (root / "inner").mkdir()
    (root / "inner" / "link").symlink_to("../../outside/secret")
    asked = ["link", "folder/secret", "inner/link", "../outside/secret", str(secret), ".", ""]
    assert set(collect(root, asked).values()) == {None}


def test_a_pipe_is_not_waited_for_and_a_device_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert collect(tmp_path, ["pipe"]) == {"pipe": None}


def test_all_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_BYTES", 10)
    for name, size in (("a", 6), ("b", 5), ("c", 4)):
        (tmp_path / name).write_text("x" * size)
    assert collect(tmp_path, ["a", "b", "c"]) == {"a": "xxxxxx", "b": None, "c": "xxxx"}
