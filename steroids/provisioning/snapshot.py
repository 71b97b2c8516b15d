"""Snapshots: the checked-out, set-up project as an image that every runner starts from."""

import contextlib
import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.engines.spec import Handle
from steroids.errors import EngineError, EngineUnavailable, ImageMissing
from steroids.provisioning import oneshot, setup_log
from steroids.provisioning.container import COMMAND
from steroids.provisioning.environment import agent_env
from steroids.provisioning.flights import Flight, Flights
from steroids.provisioning.retiring import MADE_FROM
from steroids.provisioning.setup import Setup
from steroids.provisioning.setup_failure import failed_as_before, failure
from steroids.provisioning.site import LABEL, Site
from steroids.provisioning.sparse import key_of
from steroids.wire.assignment import Assignment, Checkout, Kind, Outcome, Result, Sparse
from steroids.wire.runner import Role

T = TypeVar("T")
_flights = Flights()
_naming: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""By engine: held while an image is made that has no name yet, so that no sweep takes it."""


@dataclass(frozen=True)
class Snapshot:
    ref: str
    display: str
    """For people: `my-app:3f9c21`."""
    built: bool


@dataclass(frozen=True)
class Want:
    """Who wants a snapshot, and how much."""

    still: Callable[[], bool] = lambda: True
    """Whether that is still so: a build that nobody waits for any more is given up."""
    say: Callable[[str], None] = lambda text: None
    """Called with what goes on, in words for a person."""
    again: bool = True
    """Also when its set-up has failed before; else only after `try_again`."""


def reference(
    site: Site, runner_image: Image, setup: Setup, sparse: Sparse | None = None
) -> tuple[str, str]:
    """The image's name, and how it is shown."""
    made_of = f"{runner_image.id} {key_of(setup.key, sparse)}"
    key = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    slug = re.sub(r"[^a-z0-9]+", "-", site.project.lower()).strip("-") or "project"
    return f"localhost/steroids/{slug}-{site.project_id[:8]}:{key}", f"{slug}:{key[:6]}"


def ensure(
    site: Site,
    runner_image: Image,
    setup: Setup,
    commit: str,
    sparse: Sparse | None = None,
    want: Want | None = None,
) -> Snapshot:
    """The snapshot for this set-up, built from `commit` when there is none yet.

    Of those who want one at the same time one builds it, and what that comes to, failures too, is
    everybody's. Raises `SetupFailed`, `ContainerLost`, `oneshot.Unwanted`, and what the engine
    raises; nothing half-made is tagged.
    """
    want = want or Want()
    ref, display = reference(site, runner_image, setup, sparse)
    if site.engine.images.find(ref) is not None:
        return Snapshot(ref, display, built=False)
    key = f"{site.project_id} {site.engine.address} {ref}"
    if not want.again and (before := _flights.failure(key)) is not None:
        raise failed_as_before(before, site.section)
    flight, mine = _flights.join(key, site.section, want.still)
    if not mine:
        _wait(flight, key, site, want)
        return Snapshot(ref, display, built=True)
    with _flights.under_way(key, flight):
        # Somebody else may have built it just before.
        if site.engine.images.find(ref) is None:
            sweep(site.engine, {site.project_id})
            _build(site, runner_image, setup, commit, ref, sparse, flight, want)
            _prune(site, sparse)
    return Snapshot(ref, display, built=True)


def started_from(ensured: Callable[[], Snapshot], start: Callable[[str], T]) -> T:
    """What `start` returns for the snapshot's name; of another one, when it was removed since it
    was found, by hand or to make room. Raises what both raise."""
    try:
        return start(ensured().ref)
    except ImageMissing:
        return start(ensured().ref)


def try_again(project_id: str) -> None:
    """Somebody asks for runners: set-ups that have failed before are worth another try."""
    _flights.forget_failures(project_id)


def sweep(engine: Engine, project_ids: Collection[str]) -> None:
    """Remove images of these projects that never got their name: whoever made them died, or heard
    no answer. What cannot be removed now is met again."""
    with contextlib.suppress(EngineError), _naming[engine.address]:
        for image in engine.images.list({f"{LABEL}.image": "snapshot"}):
            if not image.refs and image.labels.get(f"{LABEL}.project") in project_ids:
                with contextlib.suppress(EngineError):
                    engine.images.remove(image.id)


def _wait(flight: Flight, key: str, site: Site, want: Want) -> None:
    want.say(f"waits for the one that is being made for {flight.owner or 'the project'}")
    try:
        flight.over.result()
    except oneshot.Unwanted:
        raise
    except Exception:
        if (before := _flights.failure(key)) is not None:
            raise failed_as_before(before, site.section) from None
        raise


def _build(
    site: Site,
    runner_image: Image,
    setup: Setup,
    commit: str,
    ref: str,
    sparse: Sparse | None,
    flight: Flight,
    want: Want,
) -> None:
    def keep(handle: Handle, result: Result) -> None:
        if result.outcome is not Outcome.DONE:
            return
        facts = {
            f"{LABEL}.image": "snapshot",
            f"{LABEL}.project": site.project_id,
            f"{LABEL}.commit": commit,
            f"{LABEL}.setup": setup.key,
            f"{LABEL}.kind": _kind(site, sparse),
            MADE_FROM: runner_image.id,
        }
        want.say("keeping it as an image")
        try:
            with _naming[site.engine.address]:
                site.engine.commit(handle, ref, labels=facts, command=COMMAND)
        except EngineUnavailable:
            raise
        except EngineError:
            # Of what it made until then nothing is to stay.
            sweep(site.engine, {site.project_id})
            raise

    timeout_s = site.settings.setup_timeout_s
    checkout = Checkout(
        commit=commit,
        sparse=sparse,
        setup=list(setup.commands),
        setup_key=key_of(setup.key, sparse),
        setup_timeout_s=timeout_s,
    )
    log = setup_log.log_path(site.home, site.project_id, checkout.setup_key)
    setup_log.begin(log, f"Set-up of {site.project} at {commit[:12]} on {site.engine.name}")
    env = agent_env(site.settings)
    result = oneshot.run(
        site,
        Assignment(kind=Kind.SETUP, alone=site.alone, checkout=checkout, env=env),
        role=Role.SETUP,
        image=runner_image.id,
        timeout_s=timeout_s * max(1, len(setup.commands)),
        after=keep,
        wanted=flight.is_wanted,
    )
    if result.outcome is not Outcome.DONE:
        raise failure(site, checkout, result)


def _kind(site: Site, sparse: Sparse | None) -> str:
    """What tells apart snapshots of one commit: sections may have set-up, image, files of their
    own."""
    settings = site.settings
    # A dev container has the commit that it is taken from behind an @.
    image = settings.image and settings.image.partition("@")[0]
    facts = [settings.setup, image, sparse.folders if sparse else None]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _prune(site: Site, sparse: Sparse | None) -> None:
    """Remove all but the newest few of this kind; the engine refuses for one in use."""
    mine = {
        f"{LABEL}.image": "snapshot",
        f"{LABEL}.project": site.project_id,
        f"{LABEL}.kind": _kind(site, sparse),
    }
    with contextlib.suppress(EngineUnavailable):
        for image in site.engine.images.list(mine)[site.settings.snapshots.keep :]:
            for ref in image.refs:
                with contextlib.suppress(EngineError):
                    site.engine.images.remove(ref)
