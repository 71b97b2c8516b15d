"""Patches to be read, cut at a bound."""

from pathlib import Path

import pytest

from steroids.git.mirror import Mirror
from steroids.git.patch import read_patch
from tests.support.repos import new_repo


@pytest.mark.parametrize("max_bytes", [200, 500, 501, 502, 503, 504, 505, 506, 507, 508])
def test_it_is_cut_at_a_line(tmp_path: Path, max_bytes: int) -> None:
    repo = new_repo(tmp_path / "repo")
    base = repo.head
    tip = repo.commit("big", {"big": "".join(f"line {n}\n" for n in range(500)), "z": "z\n"})
    mirror = Mirror.create(tmp_path / "mirror.git")
    mirror.fetch(str(repo.path), "main")
    whole = read_patch(mirror, base, tip, 1 << 20)
    assert not whole.cut and whole.text.encode() == mirror.diff(base, tip)
    part = read_patch(mirror, base, tip, max_bytes)
    assert part.cut and part.size_bytes == whole.size_bytes
    assert whole.text.startswith(part.text) and part.text.endswith("\n")
    assert max_bytes - 20 < part.shown_bytes == len(part.text) <= max_bytes
    assert part.stat == whole.stat and " z   |" in part.stat
