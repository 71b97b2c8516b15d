"""Bringing up a section's runner, step by step."""

import time
from collections.abc import Callable
from typing import Any

from steroids.engines.images import Image
from steroids.engines.spec import Handle
from steroids.errors import SteroidsError
from steroids.provisioning import container, oneshot
from steroids.services import places, target
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.runners import ended
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.body import to_builtins
from steroids.wire.error import from_exception
from steroids.wire.event import EventKind
from steroids.wire.runner import Role, RunnerStatus


def start(host: Host, project: OpenProject, section: db.Section) -> None:
    """Bring up the section's runner, with an event per step; blocks until its container runs.

    Raises `SectionBusy` when there is one, and whatever a step raises; nothing is left then.
    """
    assert section.wanted is not None
    engine = host.engine(section.wanted)
    with host.store.write() as session:
        row, token = rows.register(
            session,
            project_id=project.id,
            role=Role.SECTION,
            section_id=section.id,
            engine=engine.name,
            engine_address=engine.address,
            keep=section.keep,
        )
    try:
        handle = _provision(host, project, section, row, token)
        oneshot.remember(host.store, row.id, handle)
    except BaseException:
        ended(host, row.id, RunnerStatus.STOPPED)
        container.forget(host.path, row.id)
        raise


def _provision(
    host: Host, project: OpenProject, section: db.Section, row: home.Runner, token: str
) -> Handle:
    step = _Steps(host, project, section.name)
    engine = host.engine(row.engine_address)
    what = engine.capabilities()
    step.done("engine", f"{what.name.capitalize()} {what.version}")
    place = places.site(host, project, engine)
    commit = target.tip(project, max_age_s=5)
    image = places.runner_image(host, place, step.progress("image"))
    step.done("image", _name(image), quiet_s=0.5)
    snapshot = places.snapshot_for(project, place, commit, image)
    step.done("snapshot", f"{snapshot.display}  {'built' if snapshot.built else 'reused'}")
    with host.store.write() as session:
        launched = session.get_one(home.Runner, row.id)
        launched.launched_at = utc_now()
        session.add(launched)
    return container.start(place, row, token, snapshot.ref)


def _name(image: Image) -> str:
    """What people call it: its key says more than `latest`."""
    refs = sorted(image.refs, key=lambda ref: ref.endswith(":latest"))
    return (refs or [image.id])[0].removeprefix("localhost/")


class _Steps:
    """Times the steps of one start."""

    def __init__(self, host: Host, project: OpenProject, section: str) -> None:
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


def failed(host: Host, project: OpenProject, section: db.Section, error: SteroidsError) -> None:
    """A runner could not be started: say so, and do not try again until somebody asks."""
    with project.store.write() as session:
        row = session.get_one(db.Section, section.id)
        row.wanted = None
        session.add(row)
    data: dict[str, Any] = to_builtins(from_exception(error))
    say(host, project, EventKind.FAILED, error.message, section=section.name, data=data)
