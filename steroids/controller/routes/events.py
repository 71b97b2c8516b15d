"""The events of a project, as JSON lines, live when asked for."""

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from steroids.controller.wiring import Controller
from steroids.services import events, registry
from steroids.services.events import Which
from steroids.services.host import OpenProject
from steroids.wire.body import encode

KEEP_ALIVE_S = 15.0


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()

    @routes.get("/events")
    def stream(
        project: str,
        section: Annotated[list[str], Query(default_factory=list)],
        since: int = 0,
        tail: int | None = None,
        follow: bool = False,
        runner: str | None = None,
    ) -> Response:
        opened = registry.at(controller.host, project)
        if follow and controller.disk.was_full():
            raise controller.disk.error()
        which = events.known(controller.host, opened, Which(section, runner))
        lines = _lines(controller, opened, since, which, tail, follow)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return routes


async def _lines(
    controller: Controller,
    project: OpenProject,
    since: int,
    which: Which,
    tail: int | None,
    follow: bool,
) -> AsyncIterator[bytes]:
    said_at = time.monotonic()
    while True:
        heard = controller.events.count
        page = await run_in_threadpool(events.since, project, since, which, tail)
        if page:
            since, said_at = page[-1].seq, time.monotonic()
            yield b"".join(encode(event) + b"\n" for event in page)
        if tail is not None:
            tail = None
        elif page:
            continue
        if controller.stopping.is_set() or not follow:
            return
        if controller.disk.was_full():
            # Whoever follows asks again, and is told why nothing comes any more.
            return
        # The bell also rings where there is nothing to tell those who listen here.
        quiet_s = time.monotonic() - said_at
        if quiet_s >= KEEP_ALIVE_S:
            said_at += quiet_s
            yield b"\n"
        else:
            await controller.events.heard(heard, KEEP_ALIVE_S - quiet_s)
