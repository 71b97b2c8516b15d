"""Globs that somebody gave, checked and in the form in which they are kept."""

import os
import re
from collections.abc import Iterable

from steroids.errors import UsageError
from steroids.scheduling.globs import problem
from steroids.services.host import OpenProject

MOST = 100
"""Of one section or task; each is compared with all that others have."""


def checked(project: OpenProject, globs: Iterable[str], hint: str) -> list[str]:
    """Each once, in the order given. Raises `UsageError` for the first that cannot be used."""
    kept = list(dict.fromkeys(globs))
    if len(kept) > MOST:
        raise UsageError(f"{len(kept)} paths are too many: {MOST} at most", hint=hint)
    for glob in kept:
        if glob.startswith(f"{project.path}/"):
            raise UsageError(
                f"'{glob}' is a path of this machine; paths begin at the root of the repository",
                hint=hint,
            )
        trouble = problem(glob)
        if trouble is not None:
            shown = glob if len(glob) <= 80 else f"{glob[:80]}..."
            raise UsageError(f"'{shown}' cannot be a path: it {trouble}", hint=hint)
    return kept


def check_roots(project: OpenProject, globs: Iterable[str], hint: str) -> None:
    """Only what is fixed can be missing: of `packages/shared-*` it is `packages`.

    Raises `UsageError` for a path whose first part is not in the repository.
    """
    for glob in globs:
        root = glob.removeprefix("/").split("/")[0].rstrip()
        if re.search(r"(?<!\\)[*?\[]", root):
            continue
        name = re.sub(r"\\(.)", r"\1", root)
        if not os.path.lexists(os.path.join(project.path, name)):  # noqa: PTH118 - never raises
            raise UsageError(f"There is no '{name}' in {project.path}", hint=hint)
