"""Snapshots: the checked-out, set-up project as an image that every runner starts from."""

import contextlib
import hashlib
import re
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import NoReturn

from steroids.engines.images import Image
from steroids.engines.spec import Handle
from steroids.errors import EngineError, SetupFailed
from steroids.provisioning import oneshot
from steroids.provisioning.container import COMMAND
from steroids.provisioning.setup import Setup
from steroids.provisioning.site import LABEL, Site
from steroids.wire.assignment import Assignment, Checkout, Kind, Outcome, Result
from steroids.wire.runner import Role

_building: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""One lock per reference: of two simultaneous builds of one snapshot the second finds the
first's. A single controller owns the home, so a lock within its process is enough."""


@dataclass(frozen=True)
class Snapshot:
    ref: str
    display: str
    """For people: `my-app:3f9c21`."""
    built: bool


def reference(site: Site, runner_image: Image, setup: Setup) -> tuple[str, str]:
    """The image's name, and how it is shown."""
    key = hashlib.sha256(f"{runner_image.id} {setup.key}".encode()).hexdigest()[:12]
    slug = re.sub(r"[^a-z0-9]+", "-", site.project.lower()).strip("-") or "project"
    return f"localhost/steroids/{slug}-{site.project_id[:8]}:{key}", f"{slug}:{key[:6]}"


def ensure(site: Site, runner_image: Image, setup: Setup, commit: str) -> Snapshot:
    """The snapshot for this set-up, built from `commit` when there is none yet.

    Raises `SetupFailed`, `ContainerLost`, and what the engine raises; nothing half-made is
    tagged.
    """
    ref, display = reference(site, runner_image, setup)
    if site.engine.images.find(ref) is not None:
        return Snapshot(ref, display, built=False)
    with _building[f"{site.engine.address} {ref}"]:
        # Somebody else may have built it while this one waited.
        if site.engine.images.find(ref) is None:
            _build(site, runner_image, setup, commit, ref)
            _prune(site)
    return Snapshot(ref, display, built=True)


def _build(site: Site, runner_image: Image, setup: Setup, commit: str, ref: str) -> None:
    def keep(handle: Handle, result: Result) -> None:
        if result.outcome is Outcome.DONE:
            facts = {
                f"{LABEL}.image": "snapshot",
                f"{LABEL}.project": site.project_id,
                f"{LABEL}.commit": commit,
                f"{LABEL}.setup": setup.key,
            }
            site.engine.commit(handle, ref, labels=facts, command=COMMAND)

    timeout_s = site.settings.setup_timeout_s
    checkout = Checkout(
        commit=commit,
        setup=list(setup.commands),
        setup_key=setup.key,
        setup_timeout_s=timeout_s,
    )
    result = oneshot.run(
        site,
        Assignment(kind=Kind.SETUP, alone=site.alone, checkout=checkout, env=site.settings.env),
        role=Role.SETUP,
        image=runner_image.id,
        timeout_s=timeout_s * max(1, len(setup.commands)),
        after=keep,
    )
    if result.outcome is not Outcome.DONE:
        _raise_failed(site, setup, result)


def _raise_failed(site: Site, setup: Setup, result: Result) -> NoReturn:
    folder = site.home / "logs"
    folder.mkdir(exist_ok=True)
    log = folder / f"setup-{site.project_id[:8]}-{setup.key}.log"
    log.write_text(result.tail)
    how = f"exited {result.exit_code}" if result.exit_code is not None else result.outcome.value
    last = next((line for line in reversed(result.tail.splitlines()) if line.strip()), "")
    raise SetupFailed(
        f"Set-up failed: `{result.command}` {how}" + (f": {last[:200]}" if last else ""),
        hint=f"less {log}",
        details={
            "command": result.command,
            "exitCode": result.exit_code,
            "tail": result.tail[-4000:],
            "log": str(log),
        },
    )


def _prune(site: Site) -> None:
    """Remove all but the newest few of the project; the engine refuses for one in use."""
    mine = {f"{LABEL}.image": "snapshot", f"{LABEL}.project": site.project_id}
    for image in site.engine.images.list(mine)[site.settings.snapshots.keep :]:
        for ref in image.refs:
            with contextlib.suppress(EngineError):
                site.engine.images.remove(ref)
