from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import (
    entering,
    landing_refusal,
    registry,
    runners,
    starting,
    status,
    stopping,
    wanting,
)
from steroids.services.host import OpenProject
from steroids.store.home_models import Runner
from steroids.wire.runner import Down, Runners, Start, Stop, Up


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host, jobs = controller.host, controller.jobs

    @routes.post("/up")
    def up(project: str, asked: Annotated[Up, body(Up)]) -> Response:
        return reply(wanting.up(host, registry.at(host, project), asked))

    @routes.post("/down")
    def down(project: str, asked: Annotated[Down, body(Down)]) -> Response:
        """Answers when all of them have stopped and their containers are gone."""
        opened = registry.at(host, project)
        return _stop(opened, wanting.down(host, opened, asked), now=asked.now)

    @routes.get("/runners")
    def listing(project: str) -> Response:
        opened = registry.at(host, project)
        held = landing_refusal.held(opened)
        return reply(Runners(runners=runners.listing(host, opened), held=held))

    @routes.get("/runners/status")
    def status_(project: str) -> Response:
        return reply(status.status(host, registry.at(host, project)))

    @routes.post("/runners")
    def start(project: str, asked: Annotated[Start, body(Start)]) -> Response:
        """Answers when it is registered, or refused; its events tell the rest."""
        return reply(starting.start(host, jobs, registry.at(host, project), asked))

    @routes.post("/runners/stop")
    def stop(project: str, asked: Annotated[Stop, body(Stop)]) -> Response:
        """Answers when all of them have stopped and their containers are gone."""
        opened = registry.at(host, project)
        return _stop(opened, wanting.stop(host, opened, asked), now=asked.now)

    @routes.get("/target")
    def target(project: str, section: str) -> Response:
        return reply(entering.find(host, registry.at(host, project), section))

    def _stop(project: OpenProject, gone: list[Runner], *, now: bool) -> Response:
        stopping.stop_all(host, jobs, project, gone, now=now)
        return reply(Runners(runners=[runners.one(host, project, row.id) for row in gone]))

    return routes
