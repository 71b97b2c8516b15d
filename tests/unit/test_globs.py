"""Globs are those of pathspec, so pathspec says what they match, over a tiny alphabet."""

import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pathspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from steroids.scheduling.globs import MAX_CHARS, any_intersect, intersect, problem
from tests.support.repos import new_repo


def words(alphabet: str, longest: int) -> Iterator[str]:
    for length in range(1, longest + 1):
        yield from map("".join, itertools.product(alphabet, repeat=length))


def folders_deep(names: list[str], deepest: int) -> Iterator[str]:
    for depth in range(1, deepest + 1):
        yield from map("/".join, itertools.product(names, repeat=depth))


@cache
def compiled(glob: str) -> re.Pattern[str] | None:
    """pathspec's own, but that a negated bracket matches no slash: in git it does not."""
    source, include = GitIgnoreSpecPattern.pattern_to_regex(glob)
    if not source or not include:
        return None
    return re.compile(re.sub(r"\[\^(?!/\])", "(?!/)[^", source))


def matched(glob: str, paths: list[str]) -> frozenset[str]:
    pattern = compiled(glob)
    return frozenset(path for path in paths if pattern and pattern.search(path))


def agree(globs: list[str], paths: list[str]) -> None:
    """Two globs intersect if and only if there is a path that both match."""
    reach = {glob: matched(glob, paths) for glob in globs}
    for a, b in itertools.combinations_with_replacement(globs, 2):
        assert intersect(a, b) == bool(reach[a] & reach[b]), (a, b)


def test_within_a_segment_it_is_true_exactly_when_a_name_fits_both() -> None:
    globs = [f"/{word}" for word in words("ab*?", 4) if word != "**"]
    agree(globs, list(words("ab", 7)))


def test_brackets_meet_exactly_when_a_name_fits_both() -> None:
    sets = [
        "[ab]",
        "[!a]",
        "[^b]",
        "[b-d]",
        "[!b-d]",
        "[]a]",
        "[!]a]",
        "[^]b]",
        "[a-]",
        "[-c]",
        "[?*]",
    ]
    globs = ["/" + "".join(pair) for pair in itertools.product([*sets, "c", "*", "\\*"], repeat=2)]
    agree(globs, list(words("abcde]-*?", 3)))


def test_over_segments_it_is_true_exactly_when_a_path_fits_both() -> None:
    parts = ["a", "b", "*", "**", "a*", "[!a]", "?b", "***"]
    plain = [*parts, *map("/".join, itertools.product(parts, repeat=2))]
    more = ["a/**/b", "a/*/b", "**/a/**", "a/b/**", "**/**/b", "*/**/*", "a//b", "/", "a/**/"]
    ends = [f"{start}{glob}{end}" for glob in plain for start in ("", "/") for end in ("", "/")]
    agree([*ends, *more], list(folders_deep(list(words("ab", 2)), 4)))


PIECES = ["a", "b", "ab", "*", "**", "?", "[ab]", "[!a]", "[a-b]", "\\a", "\\*", "/", "/", "//"]
GLOBS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
PATHS = list(folders_deep(list(words("ab", 3)), 3))


@given(GLOBS, GLOBS, st.sampled_from(PATHS))
def test_globs_that_match_one_path_intersect(a: str, b: str, path: str) -> None:
    patterns = [compiled(a), compiled(b)]
    if all(pattern and pattern.search(path) for pattern in patterns):
        assert intersect(a, b), (a, b, path)


@given(st.sampled_from(PATHS), GLOBS)
def test_a_path_is_a_glob_for_itself_and_what_is_below_it(path: str, glob: str) -> None:
    pattern = compiled(glob)
    if pattern and pattern.search(path):
        assert intersect(glob, f"/{path}")


@given(st.text(max_size=40), st.text("ab*?[]!^-\\/# ", max_size=40))
def test_it_never_raises_and_does_not_mind_the_order(a: str, b: str) -> None:
    assert intersect(a, b) == intersect(b, a)
    for glob in (a, b):
        if problem(glob) is None:
            (pattern,) = pathspec.GitIgnoreSpec.from_lines([glob]).patterns
            assert pattern.include is True
            assert intersect(glob, glob), "what may be added matches something"


def test_many_stars_take_no_exponential_time() -> None:
    """It would not end: two to the power of over a hundred ways."""
    a, b = "/q/" + "*a" * 147 + "x", "/q/" + "*b" * 147 + "y"
    assert max(len(a), len(b)) <= MAX_CHARS and problem(a) is problem(b) is None
    assert not intersect(a, b)
    deep = "**/a/" * 59 + "/x", "/c/" + "**/a/" * 59
    assert not intersect(*deep)


def test_what_a_glob_matches_here_is_what_it_matches_in_git(tmp_path: Path) -> None:
    globs = ["x[!a]y", "/a/*.md", "docs", "lib/", "q/**/r"]
    repo = new_repo(tmp_path / "repo", {".gitignore": "\n".join(globs)})
    asked = ["x/y", "xby", "a/b.md", "b/a/b.md", "b/docs/c", "lib", "b/lib/c", "q/r", "q/s/t/r"]
    ignored = repo.git("check-ignore", "--no-index", *asked).splitlines()
    assert ignored == [path for path in asked if any(matched(glob, [path]) for glob in globs)]
    assert ignored == ["xby", "a/b.md", "b/docs/c", "b/lib/c", "q/r", "q/s/t/r"]


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ("apps/api/**", "apps/web/**", False),
        ("apps/api/**", "apps/*/package.json", True),
        ("packages/shared-*", "packages/shared-types/src/index.ts", True),
        ("package.json", "apps/api/package.json", True),
        ("/package.json", "apps/api/package.json", False),
        ("*.md", "docs/", True),
        ("apps/api", "apps/api-gateway", False),
        ("apps/Api", "apps/api", False),
    ],
)
def test_everyday_globs(a: str, b: str, meet: bool) -> None:
    assert intersect(a, b) is meet
    assert any_intersect(["nothing/like/it", a], ["nor/this", b]) is meet
    assert not any_intersect([], [b])


@pytest.mark.parametrize(
    ("glob", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("a" * 301, "more than 300"),
        ("a\nb", "control"),
        ("a\x1b[31m", "control"),
        ("!apps/api", "begins with '!'"),
        ("#apps", "begins with '#'"),
        ("../other", "leaves the repository"),
        ("apps/../..", "leaves the repository"),
        ("./apps", "names nothing"),
        ("apps//api", "names nothing"),
        ("/", "names nothing"),
        ("apps/[ab", "without its"),
        ("apps/[!]", "without its"),
        ("apps/[a/b]", "without its"),
        ("apps/[z-a]", "backwards"),
        ("apps/[[:alpha:]]", "no simple set"),
        ("apps/a\\", "backslash"),
    ],
)
def test_what_cannot_be_a_path(glob: str, reason: str) -> None:
    assert reason in (problem(glob) or "")


@pytest.mark.parametrize("glob", ["apps/api/**", "apps/", "/README.md", "\\#a", "[!a-c]*", "Ünï/*"])
def test_what_can(glob: str) -> None:
    assert problem(glob) is None
