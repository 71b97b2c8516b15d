"""Bringing up a runner, step by step."""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from steroids.engines.images import Image
from steroids.engines.networks import Network
from steroids.engines.spec import Handle, State
from steroids.errors import Busy, EngineError, EngineUnavailable, ImageMissing, SteroidsError
from steroids.provisioning import container, networks, oneshot, ports
from steroids.provisioning.site import Site
from steroids.provisioning.snapshot import Want
from steroids.services import databases, places, runners, sections, target
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
        if row.loop is not None or row.once:
            failed(host, project, row.section_id, error)
            return
        # It stays wanted, and reconciling starts another when the engine is back.
        say(host, project, EventKind.NOTICE, error.message, section=section_name(project, row))
    except SteroidsError as error:
        failed(host, project, row.section_id, error)


def provision(host: Host, project: OpenProject, row: home.Runner, token: str) -> None:
    """Start a registered runner's container, with an event per step; blocks until it runs.

    Until then it gets no work, whatever it asks. Raises whatever a step raises; the runner is off
    the books then, and nothing of it is left.
    """
    host.coming.add(row.id)
    try:
        step = _Steps(host, project, section_name(project, row))
        with ThreadPoolExecutor(2, "beside") as beside:
            ready = _prepare(host, project, row, step, beside)
            # The container takes as long to come up as its database takes to be copied.
            database = beside.submit(_database, host, project, ready, row, step.again())
            try:
                with host.guard(row.id):
                    _launch(host, ready, row, token)
            except ImageMissing:
                # Found a moment ago, and removed since: by hand, or to make room for another.
                ready = _prepare(host, project, row, step, beside)
                with host.guard(row.id):
                    _launch(host, ready, row, token)
            database.result()
    except BaseException:
        with host.guard(row.id):
            _clear_away(host, row)
        raise
    finally:
        host.coming.discard(row.id)
        host.changed()


def _clear_away(host: Host, row: home.Runner) -> None:
    """Of a runner that could not be brought up; what cannot be removed now is swept later."""
    with host.store.read() as session:
        kept = session.get_one(home.Runner, row.id).container
    ended(host, row.id, RunnerStatus.STOPPED)
    with contextlib.suppress(SteroidsError):
        engine = host.engine(row.engine_address)
        if kept is None:
            networks.release(engine, row.id)
        else:
            container.remove(engine, Handle(**kept), row.id)
    container.forget(host.path, row.id)


def _launch(host: Host, ready: "_Ready", row: home.Runner, token: str) -> None:
    """Start the container; whoever stops the runner waits for this, and then finds it."""
    with host.store.write() as session:
        now = session.get_one(home.Runner, row.id)
        if now.status not in ACTIVE or now.status == RunnerStatus.STOPPING:
            raise StoppedMeanwhile(f"runner {row.id[:8]} was stopped before it was started")
        now.launched_at = utc_now()
        session.add(now)
    engine = ready.place.engine
    network = ready.network.result()
    handle = container.start(ready.place, row, token, ready.image, network, ready.ports)
    try:
        state = engine.inspect(handle)
        oneshot.remember(host.store, row.id, handle, state.pid, _in_order(ready, state))
    except BaseException:
        with contextlib.suppress(EngineError):
            container.remove(engine, handle, row.id)
        raise


def _in_order(ready: "_Ready", state: State) -> dict[int, int]:
    """The published ports as they were declared: the engines have an order of their own."""
    return {port: state.ports[port] for port in ready.ports if port in state.ports}


@dataclass(frozen=True)
class _Ready:
    """What a runner's container is made from."""

    place: Site
    commit: str
    image: str
    """The snapshot's name."""
    network: Future[Network | None]
    ports: tuple[int, ...] = ()
    """To be published."""


def _prepare(
    host: Host, project: OpenProject, row: home.Runner, step: "_Steps", beside: Executor
) -> _Ready:
    """Everything that has to be there before its container can be started."""
    engine = host.engine(row.engine_address)
    what = engine.capabilities()
    step.done("engine", f"{what.name.capitalize()} {what.version}")
    with project.store.read() as session:
        section = session.get(db.Section, row.section_id) if row.section_id else None
        about = sections.every(session) if section is None else [section]
    # First: its settings, and perhaps its dev container, are those of the target.
    commit = target.tip(project, max_age_s=5)
    place = places.site(host, project, engine, section)
    # Which Docker takes a while for. What goes wrong is heard of when the container needs it.
    network = beside.submit(networks.ensure, place, row)
    image = places.runner_image(host, place, step.progress("image"))
    step.done("image", _name(image), quiet_s=0.5)
    want = Want(lambda: _stands(host, row), step.progress("snapshot"), again=False)
    try:
        snapshot = places.snapshot_for(project, place, commit, image, want)
    except oneshot.Unwanted as error:
        raise StoppedMeanwhile(error.message) from None
    step.done("snapshot", f"{snapshot.display}  {'built' if snapshot.built else 'reused'}")
    declared = list(dict.fromkeys(port for each in about for port in each.ports))
    published = ports.published(place, declared, taken=runners.local_ports(host))
    return _Ready(place, commit, snapshot.ref, network, published)


def _stands(host: Host, row: home.Runner) -> bool:
    """Whether it is still to be brought up."""
    with host.store.read() as session:
        status = session.get_one(home.Runner, row.id).status
    return status in ACTIVE and status != RunnerStatus.STOPPING


def _database(
    host: Host, project: OpenProject, ready: _Ready, row: home.Runner, step: "_Steps"
) -> None:
    """Its test database, made beside its container: both are on the runner's own network."""
    say_more = step.progress("database")
    made = databases.prepare(host, project, ready.place, row, ready.commit, say_more)
    if made is not None:
        step.done("database", made)


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

    def again(self) -> "_Steps":
        """For what begins now, beside what else goes on."""
        return _Steps(self._host, self._project, self._section)

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
