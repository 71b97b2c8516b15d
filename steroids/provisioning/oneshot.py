"""A container for one piece of work: a set-up, an attempt's checks."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

import msgspec

from steroids.engines.spec import Handle, Status
from steroids.errors import EngineError, SteroidsError
from steroids.provisioning import container, networks
from steroids.provisioning.site import Site
from steroids.store import runners
from steroids.store.columns import utc_now
from steroids.store.home_models import Runner
from steroids.store.session import Store
from steroids.wire.assignment import Assignment, Result
from steroids.wire.body import encode
from steroids.wire.runner import Role, RunnerStatus

POLL_S = 0.05
LOOK_EVERY_S = 1.0
LAST_LINES = 20
SLACK_S = 120.0
"""What start, checkout and upload may take on top of the work's own limits."""


class ContainerLost(SteroidsError):
    """It ended without an answer; nothing is known about what it was to find out."""

    code = "CONTAINER_LOST"


class Unwanted(SteroidsError):
    """Nobody wants to know any more what it was to find out."""

    code = "UNWANTED"


def run(
    site: Site,
    assignment: Assignment,
    *,
    role: Role,
    image: str,
    timeout_s: float,
    section_id: str | None = None,
    task_id: str | None = None,
    after: Callable[[Handle, Result], None] = lambda handle, result: None,
    wanted: Callable[[], bool] = lambda: True,
) -> Result:
    """Start a container with this assignment, wait for its answer, remove it.

    `after` is called with the stopped container and the answer before it is removed; `wanted` is
    asked now and then. Raises `ContainerLost`, `Unwanted` once nobody wants an answer, and what
    the engine raises; the container is removed in any case.
    """
    with site.store.write() as session:
        row, token = runners.register(
            session,
            project_id=site.project_id,
            role=role,
            section_id=section_id,
            engine=site.engine.name,
            engine_address=site.engine.address,
            assignment=encode(assignment).decode(),
        )
        row.task_id = task_id
    handle = None
    try:
        handle = container.start(site, row, token, image, networks.ensure(site, row))
        remember(site.store, row.id, handle)
        result = _await(site, row.id, handle, timeout_s + SLACK_S, wanted)
        site.engine.stop(handle, grace_s=10)
        after(handle, result)
        return result
    finally:
        if handle is None:
            networks.release(site.engine, row.id)
        else:
            # One that an engine which is away keeps has no row then, and is swept later.
            with contextlib.suppress(EngineError):
                container.remove(site.engine, handle, row.id)
        with site.store.write() as session:
            ended = session.get_one(Runner, row.id)
            runners.end(ended, RunnerStatus.STOPPED, utc_now())
            session.add(ended)
        container.forget(site.home, row.id)


def remember(
    store: Store,
    runner_id: str,
    handle: Handle,
    pid: int | None = None,
    ports: Mapping[int, int] | None = None,
) -> None:
    """Keep the handle of a runner's container, so that a later controller finds it.

    `ports` are those that are published, the first being `PORT` inside.
    """
    with store.write() as session:
        row = session.get_one(Runner, runner_id)
        row.container = asdict(handle)
        row.pid = pid
        row.ports = {str(inside): outside for inside, outside in (ports or {}).items()}
        session.add(row)


def _await(
    site: Site, runner_id: str, handle: Handle, timeout_s: float, wanted: Callable[[], bool]
) -> Result:
    deadline = time.monotonic() + timeout_s
    look_at = time.monotonic() + LOOK_EVERY_S
    while time.monotonic() < deadline:
        ended = False
        if time.monotonic() >= look_at:
            # Asked before the store is read, so that an answer given just before the end counts.
            ended = site.engine.inspect(handle).status in (Status.EXITED, Status.GONE)
            if not wanted():
                raise Unwanted(f"Nobody waits for container {handle.name} any more")
            look_at = time.monotonic() + LOOK_EVERY_S
        with site.store.read() as session:
            answer = session.get_one(Runner, runner_id).result
        if answer is not None:
            return msgspec.json.decode(answer, type=Result)
        if ended:
            raise _lost(site, handle)
        time.sleep(POLL_S)
    raise ContainerLost(f"Container {handle.name} gave no answer within {timeout_s:.0f} s")


def _lost(site: Site, handle: Handle) -> ContainerLost:
    """With what it said last, as long as the engine still has that."""
    try:
        said = b"".join(site.engine.logs(handle, tail=LAST_LINES)).decode("utf-8", "replace")
    except SteroidsError:
        said = ""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    why = f": {lines[-1].removeprefix('runner ends: ')[:300]}" if lines else ""
    return ContainerLost(
        f"Container {handle.name} ended without an answer{why}",
        hint="steroids daemon logs",
        details={"tail": "\n".join(lines)[-4000:]},
    )
