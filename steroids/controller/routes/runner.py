"""What a runner may ask for and hand over. Its token says which runner it is, never the body."""

import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from steroids.controller.auth import living_runner
from steroids.controller.http import body, done, reply
from steroids.controller.wiring import Controller
from steroids.errors import BundleRefused
from steroids.git.bundle import write_bundle
from steroids.git.packs import megabytes
from steroids.services import builds, claims, databases, limits, reports, submissions
from steroids.store.columns import utc_now
from steroids.store.home_models import Runner
from steroids.wire.assignment import Claim, Heartbeat, Orders, Result, Submission
from steroids.wire.database import DatabaseAsk
from steroids.wire.event import Batch
from steroids.wire.lock import Build, BuildTurn

MAX_WAIT_S = 30.0


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host
    caller: Any = living_runner(controller)

    @routes.post("/claim")
    async def claim(
        asked: Annotated[Claim, body(Claim)], runner: Annotated[Runner, caller]
    ) -> Response:
        """The next assignment, or null when there was none for `waitS`; holds no thread."""
        now, up, assignment = runner, False, None
        came_at = utc_now()
        deadline = came_at + timedelta(seconds=min(asked.wait_s, MAX_WAIT_S))
        while True:
            heard = controller.work.count
            if not up and runner.id not in host.coming:
                # Before it is ready: who waits for that alone is to see it too.
                if asked.limits is not None:
                    await run_in_threadpool(limits.take, host, runner, asked.limits)
                await run_in_threadpool(reports.ready, host, runner, came_at)
                up = True
            if up:
                now = await run_in_threadpool(reports.reload, host, runner)
                assignment = await run_in_threadpool(claims.next_assignment, host, now)
            left_s = (deadline - utc_now()).total_seconds()
            if assignment is not None or left_s <= 0 or controller.stopping.is_set():
                break
            await controller.work.heard(heard, min(left_s, 5.0))
        if assignment is not None:
            await run_in_threadpool(reports.assigned, host, controller.jobs, now, assignment)
        return reply(assignment)

    @routes.get("/bundle")
    def bundle(
        want: str,
        runner: Annotated[Runner, caller],
        have: Annotated[list[str], Query(default_factory=list)],
    ) -> Response:
        """The commits that lead to `want` from what the runner has; 204 when it has them all."""
        project = host.project(runner.project_id)
        folder = Path(tempfile.mkdtemp(dir=_incoming(controller)))
        path = folder / "out.bundle"
        made = write_bundle(project.mirror, path, want=want, have=have)
        if not made:
            folder.rmdir()
            return Response(status_code=204)

        def remove() -> None:
            path.unlink()
            folder.rmdir()

        return FileResponse(path, background=BackgroundTask(remove))

    @routes.put("/bundle")
    async def upload(request: Request, runner: Annotated[Runner, caller]) -> Response:
        """A bundle, kept until the submission that it belongs to."""
        _incoming(controller)
        most = await run_in_threadpool(submissions.most_bytes, host, runner)
        # Refused before it is sent, where the sender says how large it is.
        _check_size(int(request.headers.get("content-length", 0)), most)
        await _receive(request.stream(), submissions.bundle_path(host, runner.id), most)
        return done()

    @routes.post("/submission")
    def submission(
        asked: Annotated[Submission, body(Submission)], runner: Annotated[Runner, caller]
    ) -> Response:
        submissions.accept(host, runner, asked)
        return done()

    @routes.post("/result")
    def result(
        asked: Annotated[Result, body(Result)], runner: Annotated[Runner, caller]
    ) -> Response:
        reports.result(host, runner, asked)
        return done()

    @routes.post("/events")
    def events(asked: Annotated[Batch, body(Batch)], runner: Annotated[Runner, caller]) -> Response:
        reports.events(host, runner, asked)
        return done()

    @routes.post("/build")
    async def build(
        asked: Annotated[Build, body(Build)], runner: Annotated[Runner, caller]
    ) -> Response:
        """A turn with what set-up and checks share; waits for it without a thread."""
        deadline = utc_now() + timedelta(seconds=min(asked.wait_s, MAX_WAIT_S))
        while True:
            heard = controller.work.count
            now = await run_in_threadpool(reports.reload, host, runner)
            granted = await run_in_threadpool(builds.begin, host, now)
            left_s = (deadline - utc_now()).total_seconds()
            if granted or left_s <= 0 or controller.stopping.is_set():
                return reply(BuildTurn(granted=granted))
            await controller.work.heard(heard, min(left_s, 5.0))

    @routes.post("/build/end")
    def build_end(runner: Annotated[Runner, caller]) -> Response:
        builds.end(host, runner)
        return done()

    @routes.post("/database")
    async def database(
        asked: Annotated[DatabaseAsk, body(DatabaseAsk)], runner: Annotated[Runner, caller]
    ) -> Response:
        """The runner's test database, or null while it is being made; holds no thread."""
        deadline = utc_now() + timedelta(seconds=min(asked.wait_s, MAX_WAIT_S))
        while True:
            heard = controller.work.count
            now = await run_in_threadpool(reports.reload, host, runner)
            granted = await run_in_threadpool(databases.grant, host, controller.jobs, now, asked)
            left_s = (deadline - utc_now()).total_seconds()
            if granted is not None or left_s <= 0 or controller.stopping.is_set():
                return reply(granted)
            await controller.work.heard(heard, min(left_s, 5.0))

    @routes.post("/heartbeat")
    def heartbeat(
        asked: Annotated[Heartbeat, body(Heartbeat)], runner: Annotated[Runner, caller]
    ) -> Response:
        mine = reports.heartbeat(host, runner, asked)
        over = host.over.get(runner.id)
        return reply(Orders(cancel=not mine, hurry=runner.id in host.hurried, over=over))

    return routes


def _incoming(controller: Controller) -> Path:
    folder = controller.home / "incoming"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _check_size(size_bytes: int, most_bytes: int) -> None:
    if size_bytes > most_bytes:
        raise BundleRefused(
            f"The commits are larger than {megabytes(most_bytes)}, compressed",
            hint="take large files out of the commits, out of each that has them",
        )


async def _receive(chunks: AsyncIterator[bytes], path: Path, most_bytes: int) -> None:
    """Write an upload to a file of bounded size; a broken one leaves nothing."""
    fresh = path.with_suffix(".part")
    size_bytes = 0
    try:
        with fresh.open("wb") as file:
            async for chunk in chunks:
                size_bytes += len(chunk)
                _check_size(size_bytes, most_bytes)
                file.write(chunk)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
