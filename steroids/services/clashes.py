"""What git merges and people would not: two sides' migrations of one number, one manifest."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from steroids.git.mirror import Mirror
from steroids.git.sides import touching

MANIFESTS = frozenset(
    {
        *("package.json", "pnpm-workspace.yaml", "deno.json", "composer.json", "bower.json"),
        *("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile"),
        *("Cargo.toml", "go.mod", "go.work", "Gemfile", "mix.exs", "pubspec.yaml"),
        *("pom.xml", "build.gradle", "build.gradle.kts", "libs.versions.toml", "build.sbt"),
        *("settings.gradle", "settings.gradle.kts", "Directory.Packages.props"),
        *("Package.swift", "Podfile"),
    }
)
"""Names of the files that say what a part is made of."""

_FOLDERS = frozenset({"migrations", "migration", "migrate"})
# Flyway's V7_1__name (its undo migrations, U7_1__name, have numbers of their own); Laravel's
# 2024_01_31_120000_name; the number that Rails, Django, Prisma, Knex, golang-migrate have.
_NUMBERED = re.compile(
    r"(?P<kind>[VU])(?P<version>\d+(?:[._]\d+)*)__|(?P<number>\d+(?:[._-]\d+(?![A-Za-z0-9]))*)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """What a migration must not share with another one."""

    folder: str
    number: str


@dataclass(frozen=True)
class Twins:
    """Two migrations that took the same number."""

    place: Place
    ours: str
    theirs: str
    """Paths."""


def concerns(mirror: Mirror, base: str, tip: str) -> bool:
    """Whether base..tip touches anything that `clash` and `shared_manifests` are about: with one
    process, and for good, while they have to look at each new target."""
    paths = mirror.changed_paths(base, tip)
    return any(place_of(path) is not None for path in paths) or bool(_manifests(paths))


def clash(mirror: Mirror, base: str, tip: str, onto: str) -> str | None:
    """Words for the conflict when base..tip and base..onto each add a migration of one number:
    both files and the commits that add them. None: there is no such conflict."""
    found = twins(mirror.added_paths(base, tip), mirror.added_paths(base, onto))
    if not found:
        return None
    lines = []
    for pair in found:
        ours = _named(mirror, pair.ours, tip, f"^{base}", f"^{onto}")
        theirs = _named(mirror, pair.theirs, onto, f"^{base}")
        lines.append(f"two migrations have the number {pair.place.number} in {pair.place.folder}")
        lines += [f"  {ours}, by this task", f"  {theirs}, there already"]
    return "\n".join(lines)


def shared_manifests(mirror: Mirror, base: str, tip: str, onto: str) -> list[str]:
    """Manifests that both base..tip and base..onto changed, and not to the same: text that git
    can merge and that need not fit together."""
    ours = _manifests(mirror.changed_paths(base, tip))
    both = ours & _manifests(mirror.changed_paths(base, onto)) if ours else set()
    differing = {*mirror.changed_paths(tip, onto)} if both else set()
    return sorted(both & differing)


def twins(ours: Iterable[str], theirs: Iterable[str]) -> list[Twins]:
    """Of the paths that two sides add, migrations of one number in one folder, and different
    ones. What both sides have (an attempt that merged the target has it too) is not ours."""
    mine, yours = _by_place(ours), _by_place(theirs)
    found = []
    for place in sorted(mine.keys() & yours.keys(), key=lambda each: (each.folder, each.number)):
        own = sorted(mine[place].keys() - yours[place].keys())
        if own:
            other = min(yours[place])
            found.append(Twins(place, mine[place][own[0]], yours[place][other]))
    return found


def place_of(path: str) -> tuple[Place, str] | None:
    """Where the migration at `path` belongs, and which one of that place it is; None when it does
    not look like a migration. Two files with one name but for their endings are one migration."""
    parts = path.split("/")
    for at in range(len(parts) - 2, -1, -1):
        if _holds_migrations(parts[: at + 1]):
            break
    else:
        return None
    numbered = _NUMBERED.match(parts[at + 1])
    if numbered is None:
        return None
    kind, digits = numbered["kind"] or "", numbered["version"] or numbered["number"]
    number = kind.upper() + ".".join(str(int(part)) for part in re.split(r"[._-]", digits))
    name = parts[at + 1][numbered.end() :].partition(".")[0].casefold()
    return Place("/".join(parts[: at + 1]), number), name


def _holds_migrations(folders: list[str]) -> bool:
    names = [folder.casefold() for folder in folders[-2:]]
    if names[-1] in _FOLDERS:
        return True
    return names[-1] == "versions" and names[0] in _FOLDERS | {"alembic"}


def _by_place(paths: Iterable[str]) -> dict[Place, dict[str, str]]:
    found: dict[Place, dict[str, str]] = defaultdict(dict)
    for path in sorted(paths):
        known = place_of(path)
        if known is not None:
            found[known[0]].setdefault(known[1], path)
    return found


def _manifests(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if path.rpartition("/")[2] in MANIFESTS}


def _named(mirror: Mirror, path: str, *ends: str) -> str:
    commits = touching(mirror, [path.encode()], *ends)
    by = f" ({commits[0].hash[:7]} {commits[0].subject})" if commits else ""
    return f"{path.rpartition('/')[2]}{by}"
