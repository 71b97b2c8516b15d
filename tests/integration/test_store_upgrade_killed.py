"""An upgrade that is killed, wherever that is, leaves the older store or the newer one, whole."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from steroids import proc
from steroids.store.session import Store
from tests.support.earlier import Contents, contents, contents_of, lost, populate, restore, version
from tests.support.postgres import CHECKOUT
from tests.support.stores import Place

KINDS = ("home", "project")
OLD = "0001"


def died(how: str, kind: str, tmp_path: Path, *args: str) -> tuple[Contents, list[Path]]:
    """What was in the store before; the stores that were left, in the order of their deaths."""
    store, folder = tmp_path / "old.db", tmp_path / how
    restore(store, kind, OLD)
    argv = [sys.executable, "-m", "tests.support.killed_upgrade", how, kind, str(store)]
    done = proc.run([*argv, str(folder), *args], cwd=CHECKOUT, timeout_s=120)
    assert done.ok, done.err
    found = sorted(folder.iterdir(), key=lambda path: int(path.name))
    return contents_of(store), [path / "steroids.db" for path in found]


def copy_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.schema-{OLD}.bak")


def is_whole(path: Path, before: Contents) -> str:
    """Its version, after a look at all that is in it."""
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    after = contents_of(path)
    assert lost(before, after) == {}
    found = version(after)
    if found == OLD:
        assert set(after) == set(before) and after == before
    return found


def check(path: Path, kind: str, before: Contents) -> tuple[str, bool, bool]:
    """What was left is whole and can be gone on with; its version, whether there was a copy, and
    whether there was a part of one."""
    copy = copy_of(path)
    left = is_whole(path, before), copy.exists(), bool(list(path.parent.glob("*.part*")))
    if copy.exists():
        assert is_whole(copy, before) == OLD
    Store(path, kind).close()
    assert is_whole(path, before) > OLD
    assert is_whole(copy, before) == OLD
    kept = {each.name for each in path.parent.iterdir()}
    assert kept == {path.name, copy.name}
    return left


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_step(kind: str, tmp_path: Path) -> None:
    before, stores = died("points", kind, tmp_path)
    left = [check(path, kind, before) for path in stores]
    assert len(left) > 10
    versions = [version for version, _, _ in left]
    # Without that it was not killed where it matters.
    assert versions == sorted(versions) and len(set(versions)) == 2
    assert {(copy, part) for version, copy, part in left if version == OLD} == {
        (False, False),
        (False, True),
        (True, False),
    }
    assert all(copy for version, copy, _ in left if version != OLD)


def test_killed_in_the_middle_of_writing_a_file(tmp_path: Path) -> None:
    before, stores = died("growth", "project", tmp_path, "32768")
    left = [check(path, "project", before) for path in stores]
    assert (OLD, False, True) in left and left[-1] == ("0002", True, False)


@pytest.mark.postgres
def test_killed_at_each_step_on_a_server(
    postgres_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = postgres_place
    populate(place, "project", OLD, tmp_path, monkeypatch)
    before = contents(place)
    process = proc.spawn(
        [sys.executable, "-m", "tests.support.killed_upgrade", "server", "project", place.url],
        cwd=CHECKOUT,
        stdin=proc.PIPE,
        stdout=proc.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    deaths = 0
    try:
        while process.stdout.readline() == b"killed\n":
            deaths += 1
            found = contents(place)
            if version(found) == OLD:
                assert found == before
            else:
                assert lost(before, found) == {}
            process.stdin.write(b"\n")
            process.stdin.flush()
        assert process.wait(60) == 0
    finally:
        proc.kill_group(process)
    assert deaths > 4
    after = contents(place)
    assert version(after) == "0002" and lost(before, after) == {}
