"""Which part of a repository a section's globs, manifests and commands come to."""

from pathlib import Path

import pytest

from steroids.git.mirror import Mirror
from steroids.provisioning.sparse import Reads, key_of, named, prefixes, sparse_for
from steroids.runner.part import Part
from steroids.scheduling.globs import fixed
from steroids.wire.assignment import Sparse
from tests.support.repos import new_repo

FILES = [
    "README.md",
    "docs/a.md",
    "apps/api/docs/b.md",
    "apps/api/src/x.py",
    "apps/web/tests/e2e/t.py",
    "tools/check.sh",
]


@pytest.mark.parametrize(
    ("glob", "rooted", "names"),
    [
        ("apps/api/**", True, ("apps", "api")),
        ("/apps/api/", True, ("apps", "api")),
        ("apps/api*/src", True, ("apps",)),
        ("apps/[ab]/src", True, ("apps",)),
        (r"apps/a\*b/**", True, ("apps", "a*b")),
        ("apps/api/main.py", True, ("apps", "api", "main.py")),
        ("docs", False, ("docs",)),
        ("**/tests/e2e/**", False, ("tests", "e2e")),
        ("*.py", False, ()),
        ("*/src", True, ()),
        ("/docs", True, ("docs",)),
    ],
)
def test_what_is_fixed_in_a_glob(glob: str, rooted: bool, names: tuple[str, ...]) -> None:
    assert fixed(glob) == (rooted, names)


@pytest.mark.parametrize(
    ("globs", "folders"),
    [
        (["apps/api/**", "apps/api/src/**", "libs/**"], ("apps/api", "libs")),
        (["apps/*/src/**", "apps/api/**"], ("apps",)),
        (["docs"], ("apps/api/docs", "docs")),
        (["**/tests/e2e/*.py"], ("apps/web/tests/e2e",)),
        (["tools/check.sh", "apps/new/**"], ("apps/new", "tools/check.sh")),
        (["apps/api/**", "*.py"], None),
        (["**"], None),
    ],
)
def test_folders_that_have_all_that_globs_match(
    globs: list[str], folders: tuple[str, ...] | None
) -> None:
    assert prefixes(globs, FILES) == folders


def test_what_commands_name_is_part_of_what_they_need() -> None:
    commands = [
        "sh ./tools/check.sh --fix",
        "cd docs && make",
        "echo 'unclosed",
        "cat README.md",
        "test apps/none",
    ]
    assert named(commands, FILES) == {"tools/check.sh", "docs"}


def test_a_part_has_its_folders_manifests_and_scripts_and_what_was_changed(tmp_path: Path) -> None:
    files = {
        **dict.fromkeys([*FILES, "package-lock.json"], "x\n"),
        "apps/api/package.json": "{}",
        "apps/web/package.json": "{}",
        "libs/rust/Cargo.toml": "[package]",
        "libs/rust/src/lib.rs": "",
        "libs/rust/src/more.rs": "",
    }
    origin = new_repo(tmp_path / "origin", files)
    mirror = Mirror.create(tmp_path / "mirror.git")
    commit = mirror.fetch(str(origin.path), "main")
    reads = Reads(("apps/api/**",), ("sh tools/check.sh",), ("cd docs && make",))
    rest = ["apps/web/package.json", "libs/rust/Cargo.toml", "libs/rust/src/lib.rs"]
    part = sparse_for(mirror, commit, reads, True)
    assert part == Sparse(folders=["apps/api", "tools/check.sh"], files=rest)
    changed = ["apps/api/src/y.py", "docs/a.md", "new-at-root"]
    wider = sparse_for(mirror, commit, reads, True, changed)
    assert wider is not None and wider.files == sorted([*rest, "docs/a.md"])
    assert sparse_for(mirror, commit, reads, False) is None
    assert sparse_for(mirror, commit, None, True) is None
    assert sparse_for(mirror, commit, Reads(("*.py",)), True) is None
    # Of set-ups of the same files one is enough; what an attempt changed is no reason for another.
    assert key_of("k", None) == "k"
    assert key_of("k", part) == key_of("k", wider) != key_of("k", Sparse(folders=["apps/web"]))


def test_git_s_words_and_ours_mean_the_same() -> None:
    part = Part(Sparse(folders=["a b ", "x[1]*?\\"], files=["m/package.json"]))
    lines = part.patterns().decode().splitlines()
    assert lines == ["/*", "!/*/", "/a b\\ ", r"/x\[1]\*\?\\", "/m/package.json"]
    has = {path: part.has(path) for path in ("root", "a b /x", "a b/x", "m/package.json", "m/x")}
    assert [path for path, inside in has.items() if inside] == ["root", "a b /x", "m/package.json"]
    assert Part(None).has("anything/at/all")
