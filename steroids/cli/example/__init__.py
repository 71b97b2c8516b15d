"""The example of `steroids demo`: a small shop's monorepo, three sections of it, six tasks.

`monorepo/` is what is committed, `tasks/` are the specs. Where the shop is to have a database,
`database/` (a migration tool, migrations, a test) goes over it, and `database.yaml` is Steroids'
settings. The lockfiles name no registry (see .npmrc), so `npm ci` takes the one that is configured
where it runs.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from steroids.git.command import hardened_environment, run_git

BRANCH = "main"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class ExampleSection:
    name: str
    path: str
    check: str
    depends_on: str | None = None


@dataclass(frozen=True)
class ExampleTask:
    title: str
    section: str
    spec: str
    """Name of the file among the specs."""


SHARED = "Shared Types"
SECTIONS = (
    # Whoever changes what everybody uses runs everybody's tests.
    ExampleSection(SHARED, "packages/shared-types/**", "npm test --silent"),
    ExampleSection("API", "apps/api/**", "npm test --silent -w apps/api", SHARED),
    ExampleSection("Mobile", "apps/mobile/**", "npm test --silent -w apps/mobile", SHARED),
)
TASKS = (
    ExampleTask("Add prices without losing a cent", SHARED, "1-money.md"),
    ExampleTask("Say which orders can be cancelled", SHARED, "2-cancel.md"),
    ExampleTask("Answer GET /health", "API", "3-health.md"),
    ExampleTask("Limit the list of orders", "API", "4-limit.md"),
    ExampleTask("Show how long ago an order was placed", "Mobile", "5-age.md"),
    ExampleTask("Count the pieces of an order", "Mobile", "6-count.md"),
)


@dataclass(frozen=True)
class Example:
    """An example that was written: where its parts are."""

    origin: Path
    clone: Path
    specs: Path


def write(folder: Path, *, database: bool = False) -> Example:
    """Write it into an empty folder: a bare `origin.git`, the clone `shop` of it, the `specs`.

    Works without any configuration of git: the identity is the clone's own. Raises `GitError`.
    """
    made = Example(folder / "origin.git", folder / "shop", folder / "specs")
    shutil.copytree(_HERE / "tasks", made.specs)
    shutil.copytree(_HERE / "monorepo", made.clone)
    if database:
        shutil.copytree(_HERE / "database", made.clone, dirs_exist_ok=True)
        (made.clone / ".steroids").mkdir()
        shutil.copy(_HERE / "database.yaml", made.clone / ".steroids" / "config.yaml")
    git(folder, "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", made.origin.name)
    git(made.clone, "init", "--quiet", f"--initial-branch={BRANCH}")
    git(made.clone, "config", "user.name", "Demo")
    git(made.clone, "config", "user.email", "demo@example.com")
    git(made.clone, "remote", "add", "origin", str(made.origin))
    commit(made, "A small shop: API, mobile, shared types")
    return made


def commit(example: Example, message: str) -> None:
    """Commit all that is in the clone, and push it, as its owner would."""
    git(example.clone, "add", "--all")
    git(example.clone, "commit", "--quiet", "-m", message)
    git(example.clone, "push", "--quiet", "--set-upstream", "origin", BRANCH)


def git(folder: Path, *args: str) -> str:
    done = run_git(args, env=hardened_environment(), cwd=folder, verb=args[0], check=True)
    return done.out
