"""What a workspace is to be brought to: commit, files, set-up."""

from collections.abc import Iterable
from dataclasses import replace

from steroids.git.mirror import Mirror
from steroids.provisioning.setup import setup_at
from steroids.provisioning.sparse import Reads, key_of, sparse_for
from steroids.settings import Settings
from steroids.wire.assignment import Checkout


def checkout(
    mirror: Mirror,
    commit: str,
    settings: Settings,
    reads: Reads | None,
    changed: Iterable[str] = (),
) -> Checkout:
    """That commit, set up as the settings say; `reads` is what to have (none: all files), and
    `changed` what to have besides, since the work so far has changed it."""
    setup = setup_at(mirror, commit, settings.setup)
    if reads is not None and settings.setup is not None:
        reads = replace(reads, setup=tuple(settings.setup))
    sparse = sparse_for(mirror, commit, reads, settings.sparse, changed)
    return Checkout(
        commit=commit,
        sparse=sparse,
        setup=list(setup.commands),
        setup_key=key_of(setup.key, sparse),
        setup_timeout_s=settings.setup_timeout_s,
        venv=setup.venv,
    )
