from fastapi import APIRouter, Response

from steroids.controller.http import reply
from steroids.controller.wiring import Controller
from steroids.services import landing, registry
from steroids.wire.runner import Pushed


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/push")
    def push(project: str) -> Response:
        return reply(Pushed(tasks=landing.retry_refused(host, registry.at(host, project))))

    return routes
