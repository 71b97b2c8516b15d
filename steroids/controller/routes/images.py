"""Images of the engines. A build's answer is a stream: progress, then the image or an error."""

import queue
import threading
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.errors import SteroidsError
from steroids.services import images, pruning
from steroids.wire.body import encode
from steroids.wire.error import from_exception
from steroids.wire.images import BuildLine, ImageLines, ImagesBuild, Prune


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.get("/images")
    def listing(engine: str | None = None) -> Response:
        return reply(ImageLines(images=images.listing(host, engine)))

    @routes.post("/images")
    def build(asked: Annotated[ImagesBuild, body(ImagesBuild)]) -> Response:
        return StreamingResponse(_build(controller, asked), media_type="application/x-ndjson")

    @routes.post("/prune")
    def prune(asked: Annotated[Prune, body(Prune)]) -> Response:
        return reply(pruning.prune(host, asked))

    return routes


def _build(controller: Controller, asked: ImagesBuild) -> Iterator[bytes]:
    lines: queue.Queue[BuildLine | None] = queue.Queue()

    def work() -> None:
        try:
            made = images.build(
                controller.host, asked, lambda line: lines.put(BuildLine(progress=line))
            )
            lines.put(BuildLine(image=made))
        except SteroidsError as error:
            lines.put(BuildLine(failure=from_exception(error)))
        finally:
            lines.put(None)

    threading.Thread(target=work, name="build").start()
    while (line := lines.get()) is not None:
        yield encode(line) + b"\n"
