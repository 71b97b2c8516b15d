"""Bringing up a runner, step by step."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from steroids.engines.images import Image
from steroids.errors import Busy, EngineError, EngineUnavailable, SteroidsError
from steroids.provisioning import container, oneshot
from steroids.provisioning.site import Site
from steroids.services import places, target
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.registration import register
from steroids.services.runners import ended, unwant_single
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.body import to_builtins
from steroids.wire.error import from_exception
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, RunnerStatus


class StoppedMeanwhile(Busy):
    """Whoever asked for it has changed their mind; nothing went wrong."""


def start(host: Host, project: OpenProject, section: db.Section | None) -> None:
    """Bring up the runner that is wanted there (none: the single one of the project).

    Raises what `registration.register` raises when there is one, and whatever a step raises;
    nothing is left then.
    """
    wanted, keep = _wish(host, project, section)
    if wanted is None:
        return
    registered, token = register(host, project, section, host.engine(wanted), keep=keep)
    # Who does not want it any more says so first and looks for runners then: one of the two looks
    # finds what the other one did.
    if _wish(host, project, section)[0] is None:
        ended(host, registered.id, RunnerStatus.STOPPED)
        return
    provision(host, project, registered, token)


def _wish(host: Host, project: OpenProject, section: db.Section | None) -> tuple[str | None, bool]:
    """The engine that a runner is wanted on now, if one is, and whether it is to be kept."""
    row: db.Section | home.Project
    if section is not None:
        with project.store.read() as session:
            row = session.get_one(db.Section, section.id)
    else:
        with host.store.read() as session:
            row = session.get_one(home.Project, project.id)
    return row.wanted, row.keep


def provision_or_say(host: Host, project: OpenProject, row: home.Runner, token: str) -> None:
    """`provision`, as a job: what goes wrong is told, and tried again where that may help."""
    try:
        provision(host, project, row, token)
    except StoppedMeanwhile:
        return
    except EngineUnavailable as error:
        # It stays wanted, and reconciling starts another when the engine is back.
        say(host, project, EventKind.NOTICE, error.message, section=section_name(project, row))
    except SteroidsError as error:
        failed(host, project, row.section_id, error)


def provision(host: Host, project: OpenProject, row: home.Runner, token: str) -> None:
    """Start a registered runner's container, with an event per step; blocks until it runs.

    Raises whatever a step raises; the runner is off the books then.
    """
    try:
        place, image = _prepare(host, project, row)
        with host.guard(row.id):
            _launch(host, place, row, token, image)
    except BaseException:
        ended(host, row.id, RunnerStatus.STOPPED)
        container.forget(host.path, row.id)
        raise


def _launch(host: Host, place: Site, row: home.Runner, token: str, image: str) -> None:
    """Start the container; whoever stops the runner waits for this, and then finds it."""
    with host.store.write() as session:
        now = session.get_one(home.Runner, row.id)
        if now.status not in ACTIVE or now.status == RunnerStatus.STOPPING:
            raise StoppedMeanwhile(f"runner {row.id[:8]} was stopped before it was started")
        now.launched_at = utc_now()
        session.add(now)
    handle = container.start(place, row, token, image)
    try:
        pid = place.engine.inspect(handle).pid
        oneshot.remember(host.store, row.id, handle, pid)
    except BaseException:
        with contextlib.suppress(EngineError):
            place.engine.remove(handle)
        raise


def _prepare(host: Host, project: OpenProject, row: home.Runner) -> tuple[Site, str]:
    """Everything that its container needs to be started: where, and from which image."""
    step = _Steps(host, project, section_name(project, row))
    engine = host.engine(row.engine_address)
    what = engine.capabilities()
    step.done("engine", f"{what.name.capitalize()} {what.version}")
    with project.store.read() as session:
        section = session.get(db.Section, row.section_id) if row.section_id else None
    place = places.site(host, project, engine, section)
    commit = target.tip(project, max_age_s=5)
    image = places.runner_image(host, place, step.progress("image"))
    step.done("image", _name(image), quiet_s=0.5)
    snapshot = places.snapshot_for(project, place, commit, image)
    step.done("snapshot", f"{snapshot.display}  {'built' if snapshot.built else 'reused'}")
    return place, snapshot.ref


def section_name(project: OpenProject, row: home.Runner) -> str | None:
    """Of the runner's section; none: it works on all of them."""
    if row.section_id is None:
        return None
    with project.store.read() as session:
        return session.get_one(db.Section, row.section_id).name


def _name(image: Image) -> str:
    """What people call it: its key says more than `latest`."""
    refs = sorted(image.refs, key=lambda ref: ref.endswith(":latest"))
    return (refs or [image.id])[0].removeprefix("localhost/")


class _Steps:
    """Times the steps of one start."""

    def __init__(self, host: Host, project: OpenProject, section: str | None) -> None:
        self._host, self._project, self._section = host, project, section
        self._since = time.monotonic()

    def done(self, step: str, detail: str, quiet_s: float = 0) -> None:
        """End a step that began when the one before it ended; `quiet_s`: say nothing if quicker."""
        took_s = time.monotonic() - self._since
        self._since = time.monotonic()
        if took_s >= quiet_s:
            data = {"step": step, "detail": detail, "durationS": round(took_s, 3)}
            text = f"{step}  {detail}"
            say(self._host, self._project, EventKind.STEP, text, section=self._section, data=data)

    def progress(self, step: str) -> Callable[[str], None]:
        def line(text: str) -> None:
            say(
                self._host,
                self._project,
                EventKind.PROGRESS,
                text[:500],
                section=self._section,
                data={"step": step},
            )

        return line


def failed(host: Host, project: OpenProject, section_id: str | None, error: SteroidsError) -> None:
    """A runner could not be started: say so, and do not try again until somebody asks."""
    name = None
    if section_id is None:
        unwant_single(host, project)
    else:
        with project.store.write() as session:
            row = session.get_one(db.Section, section_id)
            row.wanted = None
            name = row.name
            session.add(row)
    data: dict[str, Any] = to_builtins(from_exception(error))
    say(host, project, EventKind.FAILED, error.message, section=name, data=data)
