from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import wakeup_book
from steroids.services.wakeup import wakeup
from steroids.wire.wakeup import Wakeup


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/wakeups")
    def wake(asked: Annotated[Wakeup, body(Wakeup)]) -> Response:
        """Answers when every project has been looked at; runners come up after that."""
        return reply(wakeup(host, controller.jobs, dry_run=asked.dry_run))

    @routes.get("/wakeups")
    def listing() -> Response:
        return reply(wakeup_book.listing(host))

    return routes
