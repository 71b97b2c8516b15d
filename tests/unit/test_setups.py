"""What sets a repository up, found from its files; and which files that depends on."""

import json
from collections.abc import Iterator, Mapping

import pytest

from steroids.provisioning.setup import Setup, find_setup
from steroids.provisioning.setups.files import Files

BERRY = "__metadata:\n  version: {}\n"
WORKSPACE = json.dumps({"workspaces": ["apps/*", "!apps/odd"]})


def found(files: Mapping[str, str], configured: list[str] | None = None) -> Setup:
    return find_setup(
        Files({path: f"{hash(text)}" for path, text in files.items()}, files.get), configured
    )


def commands(files: Mapping[str, str]) -> list[str]:
    """Without what brings programs."""
    return [each for each in found(files).commands if "command -v" not in each]


def brought(files: Mapping[str, str]) -> Iterator[str]:
    """The packages that are installed for the sake of their programs."""
    texts = [each for each in found(files).commands if "command -v" in each]
    for text in texts:
        shown, line = text.splitlines()
        package = shown.removeprefix("# install ")
        assert package in line.replace("'", "").split()
        yield package


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"README.md": ""}, []),
        ({"package.json": "{}"}, []),
        ({"package-lock.json": "{}"}, []),
        ({"package.json": "{}", "package-lock.json": "{}"}, ["npm ci"]),
        ({"package.json": "{}", "npm-shrinkwrap.json": "{}"}, ["npm ci"]),
        (
            {"package.json": "{}", "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
            ["pnpm install --frozen-lockfile"],
        ),
        (
            {"package.json": "{}", "yarn.lock": "# yarn lockfile v1\n"},
            ["yarn install --frozen-lockfile"],
        ),
        (
            {"package.json": "{}", "yarn.lock": BERRY.format(8)},
            ["yarn install --immutable"],
        ),
        ({"package.json": "{}", "bun.lock": "{}"}, ["bun install --frozen-lockfile"]),
        ({"pyproject.toml": "", "uv.lock": ""}, ["uv sync --locked"]),
        (
            {"pyproject.toml": "[tool.uv.workspace]\nmembers = ['x']\n", "uv.lock": ""},
            ["uv sync --locked --all-packages"],
        ),
        (
            {"pyproject.toml": "", "poetry.lock": ""},
            ["POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction"],
        ),
        ({"Cargo.toml": "", "Cargo.lock": ""}, ["cargo fetch --locked"]),
        ({"Cargo.toml": ""}, []),
        ({"go.mod": "module x\n"}, ["go mod download"]),
        ({"go.mod": "module x\n", "vendor/modules.txt": ""}, []),
        (
            {"Gemfile": "", "Gemfile.lock": ""},
            [
                'bundle config set --global path "$HOME/.local/share/gems"'
                " && BUNDLE_FROZEN=true bundle install"
            ],
        ),
        # Only tools are configured there, or nothing says how it is built.
        ({"pyproject.toml": "[tool.ruff]\n"}, []),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, []),
    ],
)
def test_one_ecosystem_at_the_root(files: dict[str, str], expected: list[str]) -> None:
    assert commands(files) == expected
    assert found(files).key == found({**files, "README.md": "changed"}).key


MAKE_VENV = "python3 -m venv --clear .venv && echo '*' > .venv/.gitignore"


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"requirements.txt": ""}, "-r requirements.txt"),
        (
            {"requirements.txt": "", "requirements-dev.txt": "", "pyproject.toml": "[tool.x]\n"},
            "-r requirements.txt -r requirements-dev.txt",
        ),
        ({"pyproject.toml": "[project]\nname='x'\n[build-system]\nrequires=[]\n"}, "--editable ."),
        (
            {
                "pyproject.toml": "[project]\nname='x'\n[project.optional-dependencies]\n"
                "dev=['a']\ntest=['b']\nplot=['c']\n[dependency-groups]\ndev=['d']\n"
                "[build-system]\nrequires=[]\n"
            },
            "--editable '.[dev,test]' --group dev",
        ),
    ],
)
def test_python_without_a_lockfile(files: dict[str, str], install: str) -> None:
    assert commands(files) == [MAKE_VENV, f".venv/bin/python -m pip install {install}"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"package.json": "{}", "pnpm-lock.yaml": "lockfileVersion: 5.4\n"}, ["pnpm@7"]),
        ({"package.json": "{}", "pnpm-lock.yaml": "lockfileVersion: '6.0'\n"}, ["pnpm@8"]),
        ({"package.json": "{}", "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}, ["pnpm@10"]),
        (
            {"package.json": '{"packageManager": "pnpm@9.1.2+sha512.ab"}', "pnpm-lock.yaml": ""},
            ["pnpm@9.1.2"],
        ),
        (
            {"package.json": '{"packageManager": "pnpm@1.2.3; reboot"}', "pnpm-lock.yaml": ""},
            ["pnpm@10"],
        ),
        # What another program's version is says nothing of this one.
        (
            {"package.json": '{"packageManager": "npm@11.0.0"}', "pnpm-lock.yaml": ""},
            ["pnpm@10"],
        ),
        # The nearest one that names a version.
        (
            {
                "package.json": '{"packageManager": "yarn@4.5.0"}',
                "web/package.json": "{}",
                "web/yarn.lock": BERRY.format(8),
            },
            ["@yarnpkg/cli-dist@4.5.0"],
        ),
        ({"package.json": "{}", "yarn.lock": ""}, ["yarn@1"]),
        ({"package.json": '{"packageManager": "yarn@1.22.19"}', "yarn.lock": ""}, ["yarn@1.22.19"]),
        ({"package.json": "{}", "yarn.lock": BERRY.format(6)}, ["@yarnpkg/cli-dist@3"]),
        ({"package.json": "{}", "yarn.lock": BERRY.format(8)}, ["@yarnpkg/cli-dist@4"]),
        ({"package.json": "{}", "bun.lockb": ""}, ["bun@1"]),
        ({"uv.lock": "", "pyproject.toml": ""}, ["uv<1"]),
        ({"uv.lock": "", "uv.toml": 'required-version = "0.5.2"'}, ["uv==0.5.2"]),
        (
            {"uv.lock": "", "pyproject.toml": "[tool.uv]\nrequired-version = '>=0.5,<0.9'\n"},
            ["uv>=0.5,<0.9"],
        ),
        ({"uv.lock": "", "uv.toml": 'required-version = "$(reboot)"'}, ["uv<1"]),
        ({"poetry.lock": "# This file is @generated by Poetry 1.8.3 and\n"}, ["poetry==1.*"]),
        ({"poetry.lock": ""}, ["poetry==2.*"]),
    ],
)
def test_programs_are_brought_at_the_version_that_the_repository_names(
    files: dict[str, str], expected: list[str]
) -> None:
    assert list(brought(files)) == expected


def test_of_several_lockfiles_the_named_program_counts_else_the_one_chosen_on_purpose() -> None:
    both = {"package.json": "{}", "package-lock.json": "{}", "pnpm-lock.yaml": ""}
    assert commands(both) == ["pnpm install --frozen-lockfile"]
    named = {**both, "package.json": '{"packageManager": "npm@10.9.0"}'}
    assert commands(named) == ["npm ci"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # A root without one: each in its own folder, whatever is in its name.
        (
            {
                "web/package.json": "{}",
                "web/package-lock.json": "{}",
                "my api/uv.lock": "",
                "core/Cargo.toml": "",
                "core/Cargo.lock": "",
            },
            [
                "cd core && cargo fetch --locked",
                "cd 'my api' && uv sync --locked",
                "cd web && npm ci",
            ],
        ),
        # What a workspace covers is not set up again; what it leaves out is.
        (
            {
                "package.json": WORKSPACE,
                "package-lock.json": "{}",
                "apps/api/package.json": "{}",
                "apps/api/package-lock.json": "{}",
                "apps/odd/package.json": "{}",
                "apps/odd/package-lock.json": "{}",
                "tools/x/package.json": "{}",
                "tools/x/package-lock.json": "{}",
            },
            ["npm ci", "cd apps/odd && npm ci --prefix .", "cd tools/x && npm ci --prefix ."],
        ),
        (
            {
                "package.json": "{}",
                "pnpm-lock.yaml": "",
                "pnpm-workspace.yaml": "packages:\n  - apps/**\n",
                "apps/a/b/package.json": "{}",
                "apps/a/b/pnpm-lock.yaml": "",
                "site/package.json": "{}",
                "site/pnpm-lock.yaml": "",
            },
            [
                "pnpm install --frozen-lockfile",
                "cd site && pnpm install --frozen-lockfile --ignore-workspace",
            ],
        ),
        (
            {
                "Cargo.toml": "[workspace]\nmembers = ['a']\nexclude = ['fuzz']\n",
                "Cargo.lock": "",
                "a/Cargo.toml": "",
                "a/Cargo.lock": "",
                "fuzz/Cargo.toml": "",
                "fuzz/Cargo.lock": "",
            },
            ["cargo fetch --locked", "cd fuzz && cargo fetch --locked"],
        ),
        (
            {
                "go.work": "go 1.22\nuse (\n\t./api // the server\n\t./lib\n)\nuse ./more\n",
                "api/go.mod": "",
                "lib/go.mod": "",
                "more/go.mod": "",
                "apart/go.mod": "",
            },
            ["go mod download", "cd apart && go mod download"],
        ),
        (
            {
                "uv.lock": "",
                "pyproject.toml": "[tool.uv.workspace]\nmembers = ['libs/*']\n",
                "libs/a/pyproject.toml": "[project]\n[build-system]\n",
                "libs/a/uv.lock": "",
                "jobs/requirements.txt": "",
                "other/uv.lock": "",
            },
            ["uv sync --locked --all-packages", "cd other && uv sync --locked"],
        ),
        # No part of what is worked on.
        (
            {
                "test/fixtures/a/package.json": "{}",
                "test/fixtures/a/package-lock.json": "{}",
                "examples/b/Cargo.toml": "",
                "examples/b/Cargo.lock": "",
                "vendor/c/go.mod": "",
                "docs/requirements.txt": "",
            },
            [],
        ),
    ],
)
def test_mixed_and_nested(files: dict[str, str], expected: list[str]) -> None:
    assert commands(files) == expected


def test_manifests_that_are_broken_are_found_all_the_same() -> None:
    files = {
        "package.json": "<<<<<<<",
        "pnpm-lock.yaml": "",
        "pnpm-workspace.yaml": "a: [",
        "Cargo.toml": "[",
        "Cargo.lock": "",
        "uv.lock": "",
        "pyproject.toml": "=",
        "go.work": "use (",
        "apps/x/package.json": "[]",
        "apps/x/pnpm-lock.yaml": "",
        "apps/y/Cargo.lock": "",
        "apps/y/Cargo.toml": "",
    }
    assert "cargo fetch --locked" in commands(files)
    assert commands({**files, "package.json": '{"workspaces": 3, "packageManager": 4}'})


NPM = {"package.json": "{}", "apps/api/package.json": "{}", "package-lock.json": "{}"}


@pytest.mark.parametrize(
    ("base", "path"),
    [
        (NPM, "package.json"),
        (NPM, "package-lock.json"),
        (NPM, "apps/api/package.json"),
        (NPM, ".npmrc"),
        (NPM, ".nvmrc"),
        (NPM, "patches/left-pad+1.3.0.patch"),
        ({"package.json": "", "yarn.lock": BERRY}, ".yarnrc.yml"),
        ({"package.json": "", "yarn.lock": BERRY}, ".yarn/releases/yarn-4.5.0.cjs"),
        ({"package.json": "", "pnpm-lock.yaml": ""}, "pnpm-workspace.yaml"),
        ({"uv.lock": ""}, ".python-version"),
        ({"uv.lock": ""}, "libs/a/pyproject.toml"),
        ({"requirements.txt": ""}, "requirements/base.txt"),
        ({"requirements.txt": ""}, "constraints.txt"),
        ({"Cargo.toml": "", "Cargo.lock": ""}, "rust-toolchain.toml"),
        ({"Cargo.toml": "", "Cargo.lock": ""}, ".cargo/config.toml"),
        ({"go.mod": ""}, "go.sum"),
        ({"go.work": "use ./a\n", "a/go.mod": ""}, "go.work"),
        ({"go.work": "use ./a\n", "a/go.mod": ""}, "a/go.mod"),
        ({"Gemfile": "", "Gemfile.lock": ""}, "x.gemspec"),
        # Where programs look upwards for their configuration.
        ({"web/package.json": "", "web/yarn.lock": ""}, ".npmrc"),
    ],
)
def test_what_set_up_reads_is_in_the_key(base: dict[str, str], path: str) -> None:
    assert found(base).commands
    assert found(base).key != found({**base, path: "changed"}).key


@pytest.mark.parametrize(
    ("base", "path"),
    [
        (NPM, "src/index.js"),
        (NPM, "uv.lock.txt"),
        (NPM, "Cargo.toml"),
        (NPM, "apps/api/notpackage.json"),
        ({"web/package.json": "", "web/yarn.lock": ""}, "api/package.json"),
        ({"README": ""}, "package.json"),
    ],
)
def test_what_it_does_not_read_is_not(base: dict[str, str], path: str) -> None:
    assert found(base).key == found({**base, path: "changed"}).key


def test_commands_of_the_users_own_may_read_every_manifest_and_the_scripts_they_name() -> None:
    given = ["sh scripts/setup.sh --all", "make deps", "./bin/prepare", 'echo "']
    files = {"package.json": "{}", "src/a.js": ""}
    key = found(files, given).key
    assert found(files, given).commands == tuple(given)
    for path in (
        *("package.json", "a/uv.lock", "Cargo.toml", "go.mod", "b/composer.lock", "pom.xml"),
        *("scripts/setup.sh", "Makefile", "bin/prepare"),
    ):
        assert found({**files, path: "changed"}, given).key != key, path
    for path in ("src/a.js", "scripts/other.sh"):
        assert found({**files, path: "changed"}, given).key == key, path
    assert found(files, []).key == found({**files, "package.json": "changed"}, []).key


@pytest.mark.parametrize(
    ("files", "venv"),
    [
        ({"uv.lock": ""}, ".venv"),
        ({"README": ""}, ".venv"),
        ({"apps/api/uv.lock": "", "go.mod": ""}, "apps/api/.venv"),
        ({"apps/api/uv.lock": "", "jobs/requirements.txt": ""}, ".venv"),
    ],
)
def test_the_only_python_environment_is_the_one_to_find(files: dict[str, str], venv: str) -> None:
    assert found(files).venv == venv
