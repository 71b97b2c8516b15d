"""Which changed files lie outside a section. Pure."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from pathspec import GitIgnoreSpec

from steroids.provisioning.lockfiles import KINDS

NOBODYS = frozenset(
    {
        *KINDS,
        *("bun.lock", "bun.lockb", "deno.lock", "Pipfile.lock", "pdm.lock", "pixi.lock"),
        *("go.work.sum", "composer.lock", "mix.lock"),
        *("pubspec.lock", "Package.resolved", "flake.lock", "gradle.lockfile", "Podfile.lock"),
    }
)
"""Files that a package manager writes. At the root of a monorepo they follow from the manifests of
all sections together: `npm install -w apps/api` changes the root's lockfile, and has to."""


def outside(section_paths: Collection[str], changed_paths: Iterable[str]) -> list[str]:
    """Those of the paths that no glob of the section matches, in their order.

    Globs mean what they mean to `scheduling.globs`, and so to .gitignore; what is no glob matches
    nothing. A section without any has no bounds. Paths are as `Mirror.changed_paths` gives them,
    so that of a renamed file both names count. A lockfile at the root (`NOBODYS`) is never outside.
    """
    if not section_paths:
        return []
    patterns = [found for glob in section_paths if (found := _pattern(glob)) is not None]
    return [
        path
        for path in changed_paths
        if path not in NOBODYS and not any(pattern.match(path) for pattern in patterns)
    ]


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str] | None:
    try:
        found = [each.regex for each in GitIgnoreSpec.from_lines([glob]).patterns if each.include]
    except (ValueError, re.error):
        return None
    if not found or found[0] is None:
        return None
    # To pathspec, unlike git, a negated bracket matches a slash.
    return re.compile(re.sub(r"\[\^(?!/\])", "(?!/)[^", found[0].pattern))
