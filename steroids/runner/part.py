"""The part of the repository's files that a workspace has, as the runner was told."""

import re

from steroids.wire.assignment import Sparse

ALL_FILES = ("core.sparseCheckout=false",)
PART = (
    "core.sparseCheckout=true",
    "core.sparseCheckoutCone=false",
    # What is there is looked at, whatever git is told by the index to leave alone.
    "sparse.expectFilesOutsideOfPatterns=false",
    "index.sparse=false",
)


class Part:
    """Files at the root, those in some folders, and single ones; without `sparse` all there are."""

    def __init__(self, sparse: Sparse | None) -> None:
        self.whole = sparse is None
        self._folders = tuple(sparse.folders) if sparse else ()
        self._files = frozenset(sparse.files) if sparse else frozenset()

    @property
    def options(self) -> tuple[str, ...]:
        """Git's, whatever the repository's own configuration says."""
        return ALL_FILES if self.whole else PART

    def has(self, path: str) -> bool:
        """Whether that file is to be in the workspace."""
        if self.whole or "/" not in path or path in self._files:
            return True
        return any(path == each or path.startswith(f"{each}/") for each in self._folders)

    def patterns(self) -> bytes:
        """As `info/sparse-checkout` has them: what `has` says, in git's words (not "cone" mode)."""
        paths = (*self._folders, *sorted(self._files))
        lines = ["/*", "!/*/", *(f"/{_quoted(path)}" for path in paths if "\n" not in path)]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _quoted(path: str) -> str:
    quoted = re.sub(r"([\\*?\[])", r"\\\1", path)
    return re.sub(r" $", r"\\ ", quoted)
