from fastapi import APIRouter, Response

from steroids.controller.http import reply
from steroids.controller.wiring import Controller
from steroids.services import loops, registry, upcoming


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.get("/loop")
    def about(project: str, section: str | None = None) -> Response:
        return reply(loops.about(host, registry.at(host, project), section))

    @routes.get("/next")
    def upcoming_(project: str, section: str | None = None) -> Response:
        """Which task a runner would be given; nothing is claimed."""
        return reply(upcoming.upcoming(host, registry.at(host, project), section))

    return routes
