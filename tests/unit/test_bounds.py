"""What lies outside a section: globs mean what git makes of them in a .gitignore."""

import itertools
from pathlib import Path

import pytest

from steroids.services.bounds import outside
from tests.support.repos import new_repo

PATHS = [
    "/".join(parts)
    for depth in (1, 2, 3)
    for parts in itertools.product(("a", "b", "ab", ".x"), repeat=depth)
]
GLOBS = [
    r"a",
    r"/a",
    r"a/",
    r"/a/",
    r"a/**",
    r"**/a",
    r"a/*/b",
    r"a/**/b",
    r"*b",
    r"/*b",
    r"[ab]",
    r"[!a]b",
    r"/a[!b]b",
    r"a?",
    r"*.x",
    r"**",
    r"/**",
    r"/*",
    r"*",
    r"a[/]b",
    r"\a",
    r"a\*",
]


def test_a_glob_matches_what_git_says_it_does(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "repo")
    given = b"".join(path.encode() + b"\0" for path in PATHS)
    for glob in GLOBS:
        (repo.path / ".git" / "info" / "exclude").write_text(f"{glob}\n")
        raw = repo.git_bytes(
            "check-ignore", "--no-index", "-z", "--stdin", stdin=given, check=False
        )
        inside = set(raw.decode().split("\0"))
        assert outside([glob], PATHS) == [path for path in PATHS if path not in inside], glob


@pytest.mark.parametrize(
    ("globs", "paths", "expected"),
    [
        ([], ["README", "apps/web/x"], []),
        (["apps/api/**"], ["apps/api/x", "apps/web/x", "README"], ["apps/web/x", "README"]),
        (["apps/api", "/docs/api.md"], ["apps/api/deep/x", "docs/api.md"], []),
        (["apps/[!w]*/**"], ["apps/api/x", "apps/web/x", "apps/"], ["apps/web/x", "apps/"]),
        (["apps/api/**"], ["APPS/api/x", "apps/API/x"], ["APPS/api/x", "apps/API/x"]),
        (["apps/*.js"], ["apps/api/x.js", "apps/x.js"], ["apps/api/x.js"]),
        (["apps/api/**"], ["apps/api/\\xff.txt", "\\xff.txt"], ["\\xff.txt"]),
        (["", "#apps", "!apps/**", "[z-a]"], ["apps/x"], ["apps/x"]),
        (["apps/api/**"], ["b", "a", "b"], ["b", "a", "b"]),
    ],
)
def test_outside(globs: list[str], paths: list[str], expected: list[str]) -> None:
    assert outside(globs, paths) == expected


def test_a_lockfile_is_nobodys_at_the_root_alone() -> None:
    paths = ["package-lock.json", "uv.lock", "apps/web/package-lock.json", "package.json"]
    expected = ["apps/web/package-lock.json", "package.json"]
    assert outside(["apps/api/**"], paths) == expected
