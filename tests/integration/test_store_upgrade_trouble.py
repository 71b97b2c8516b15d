"""Upgrades beside others, on a full disk, and of what is no store at all."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from steroids import proc
from steroids.errors import BadConfig, DiskFull, SteroidsError, StoreUnavailable
from steroids.services import ownership
from steroids.store.session import Store
from tests.support.earlier import Contents, contents_of, lost, restore, version
from tests.support.postgres import CHECKOUT

OLD = "0001"
DISK_BYTES = 2_000_000


def test_of_many_at_once_one_upgrades_and_copies_what_was_there_last(tmp_path: Path) -> None:
    path = tmp_path / "steroids.db"
    restore(path, "home", OLD)
    argv = [sys.executable, "-m", "tests.support.racing_upgrade", "home", str(path)]
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        racing = [
            proc.spawn(argv, cwd=CHECKOUT, stdout=proc.PIPE, stderr=proc.STDOUT) for _ in range(3)
        ]
        try:
            for process in racing:
                assert process.stdout is not None
                assert process.stdout.readline() == b"waits\n"
            # As an older controller may until it is stopped.
            holder.execute("UPDATE projects SET name = 'written while they waited'")
            holder.execute("COMMIT")
            ends = [(process.communicate(timeout=60)[0], process.returncode) for process in racing]
        finally:
            for process in racing:
                proc.kill_group(process)
    assert ends == [(b"", 0)] * 3
    (copy,) = tmp_path.glob("*.bak")
    before = contents_of(copy)
    assert version(before) == OLD
    assert [row["name"] for row in before["projects"]] == ["written while they waited"]
    after = contents_of(path)
    assert version(after) > OLD and lost(before, after) == {}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={DISK_BYTES}"
    mounted = proc.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], timeout_s=10)
    if not mounted.ok:
        pytest.skip(f"nothing can be mounted here: {mounted.err}")
    try:
        yield folder
    finally:
        proc.run(["umount", "--lazy", str(folder)], timeout_s=10)


def leave(folder: Path, size_bytes: int) -> None:
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        wanted = shutil.disk_usage(folder).free - size_bytes
        os.posix_fallocate(file.fileno(), 0, max(1, wanted))


def test_a_full_disk_leaves_the_older_store_and_says_so(small_disk: Path) -> None:
    path, copied = small_disk / "steroids.db", False
    copy = small_disk / f"steroids.db.schema-{OLD}.bak"
    restore(path, "project", OLD)
    before, told = contents_of(path), []
    # From none at all to enough: for opening it, for the copy, and then for the upgrade.
    for room_bytes in range(0, DISK_BYTES, 16 << 10):
        leave(small_disk, room_bytes)
        try:
            Store(path, "project").close()
            break
        except SteroidsError as error:
            assert error.hint == f"df -h {small_disk}", error.message
            told.append(type(error))
        assert not list(small_disk.glob("*.part*"))
        (small_disk / "ballast").unlink()
        assert contents_of(path) == before
        copied = copy.exists()
        copy.unlink(missing_ok=True)
    assert set(told) == {DiskFull, StoreUnavailable} and copied, told
    assert lost(before, contents_of(path)) == {} and contents_of(copy) == before


def made_by_others(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE albums (id)")
        raw.execute("PRAGMA journal_mode=WAL")


def without_its_version(path: Path) -> None:
    restore(path, "project", OLD)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DELETE FROM alembic_version")


def truncated(path: Path) -> None:
    restore(path, "project", OLD)
    os.truncate(path, 2 * 4096)


STRANGE: dict[str, Callable[[Path], object]] = {
    "garbage": lambda path: path.write_bytes(b"\x8f\x02garbage" * 4096),
    "a text": lambda path: path.write_text("no store"),
    "others": made_by_others,
    "versionless": without_its_version,
    "a home's": lambda path: restore(path, "home", OLD),
    "truncated": truncated,
    "folder": lambda path: path.mkdir(),
    "link to nowhere": lambda path: path.symlink_to(path.parent / "nowhere" / "x"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_is_no_store_is_told_as_such_and_left_alone(what: str, tmp_path: Path) -> None:
    path = tmp_path / "steroids.db"
    STRANGE[what](path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises((BadConfig, StoreUnavailable)) as caught:
        Store(path, "project")
    assert str(path) in caught.value.message and caught.value.hint, caught.value
    print(f"{caught.value.message}\n  hint: {caught.value.hint}")
    assert before == (path.read_bytes() if path.is_file() else b"")
    left = {each.name.removeprefix(path.name) for each in tmp_path.iterdir()}
    assert left <= {"", "-wal", "-shm"}


def test_a_link_in_the_place_of_the_copy_leads_nowhere(tmp_path: Path) -> None:
    path, precious = tmp_path / "app" / ".steroids" / ownership.STORE, tmp_path / "precious"
    restore(path, "project", OLD)
    precious.write_text("keep me\n")
    for suffix in ("bak", "part"):
        name = f"{path.name}.schema-{OLD}.{suffix}"
        # Nothing that is landed may be there, and who has it nevertheless is told.
        assert ownership.is_host_state(f".steroids/{name}")
        path.with_name(name).symlink_to(precious)
        with pytest.raises(BadConfig, match="is a symbolic link"):
            ownership.refuse_links(path.parent)
    # Not even one that comes after that.
    Store(path, "project").close()
    assert precious.read_text() == "keep me\n"
    assert version(contents_of(path.with_name(f"{path.name}.schema-{OLD}.bak"))) == OLD


def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    path = tmp_path / "steroids.db"
    path.touch()
    Store(path, "project").close()
    found: Contents = contents_of(path)
    assert found["tasks"] == [] and version(found) > OLD
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_copied_a_store_here_need_not_think_of_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "steroids.db"
    restore(path, "home", OLD)
    path.chmod(0o644)
    store = Store(path, "home")
    with store.write():
        modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    store.close()
    names = {"", "-wal", "-shm", f".schema-{OLD}.bak"}
    assert modes == {f"{path.name}{name}": 0o600 for name in names}
