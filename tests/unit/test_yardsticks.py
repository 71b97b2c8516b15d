import pytest

from steroids.services.yardsticks import yardsticks


@pytest.mark.parametrize(
    "path",
    [
        ".steroids/config.yaml",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "Jenkinsfile",
        "package.json",
        "apps/api/package.json",
        "Makefile",
        "tox.ini",
        "pyproject.toml",
        "apps/api/vitest.config.ts",
        "apps/api/.eslintrc.json",
        ".pre-commit-config.yaml",
        "tests/helpers/db.py",
        "apps/api/__tests__/login.ts",
        "apps/api/src/login.test.ts",
        "apps/api/src/login.spec.tsx",
        "apps/api/src/__snapshots__/login.test.ts.snap",
        "pkg/login_test.go",
        "tests_login/test_login.py",
        "conftest.py",
        "src/LoginTest.java",
        "spec/login_spec.rb",
        ".husky/pre-push",
    ],
)
def test_what_judges(path: str) -> None:
    assert yardsticks([path]) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "apps/api/src/login.ts",
        "README.md",
        "src/latest.py",
        "src/contest.ts",
        "src/testimonials/list.ts",
        "docs/specification.md",
        "src/attestation.go",
        "assets/Makefile.png",
        "src/protest/plan.md",
        "package.json.md",
    ],
)
def test_what_does_not(path: str) -> None:
    assert yardsticks([path]) == []


def test_each_once_and_sorted() -> None:
    assert yardsticks(["b.test.ts", "a.test.ts", "x", "b.test.ts"]) == ["a.test.ts", "b.test.ts"]
