"""Which files of a change judge that very change: tests, checks, what CI runs."""

import re
from collections.abc import Iterable

_FOLDERS = r"(^|/)(tests?|__tests__|specs?|e2e|testdata|__snapshots__|cypress)/"
_TESTS = (
    r"(^|/)(test_[^/]*|[^/]*_test|[^/]*_spec|conftest)\.\w+$",
    r"(^|/)[^/]*\.(test|spec|cy|snap)(\.\w+)?$",
    r"(^|/)[^/]*Tests?\.(java|kt|scala|cs|swift|php)$",
)
_CI = (
    r"^\.(github|gitlab|circleci|buildkite|woodpecker|forgejo|gitea)/",
    r"(^|/)(\.gitlab-ci|\.travis|\.drone|\.woodpecker|azure-pipelines|bitbucket-pipelines)\.ya?ml$",
    r"(^|/)Jenkinsfile$",
)
_CHECKS = (
    r"^\.steroids/",
    r"(^|/)(package\.json|Makefile|makefile|GNUmakefile|justfile|Justfile|Taskfile\.ya?ml)$",
    r"(^|/)(tox|pytest|mypy|setup)\.(ini|cfg)$",
    r"(^|/)(pyproject|ruff|\.ruff|clippy|\.clippy)\.toml$",
    r"(^|/)(jest|vitest|vite|playwright|cypress|karma|eslint|nx|turbo|tsconfig)[^/]*\.\w+$",
    r"(^|/)\.(eslintrc|mocharc|pre-commit-config|flake8|coveragerc|golangci|husky)[^/]*(/|$)",
)
_YARDSTICK = re.compile("|".join((_FOLDERS, *_TESTS, *_CI, *_CHECKS)))


def yardsticks(paths: Iterable[str]) -> list[str]:
    """Those of the paths, sorted. By their names alone, so it may name one too many: they are
    for a reviewer to look at, nothing is decided by them."""
    return sorted(path for path in set(paths) if _YARDSTICK.search(path))
