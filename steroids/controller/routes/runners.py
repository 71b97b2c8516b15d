from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import landing, registry, runners, stopping
from steroids.wire.runner import Down, Pushed, Runners, Up


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host, jobs = controller.host, controller.jobs

    @routes.post("/up")
    def up(project: str, asked: Annotated[Up, body(Up)]) -> Response:
        return reply(runners.up(host, registry.at(host, project), asked))

    @routes.post("/down")
    def down(project: str, asked: Annotated[Down, body(Down)]) -> Response:
        """Answers when all of them have stopped and their containers are gone."""
        opened = registry.at(host, project)
        rows = runners.down(host, opened, asked)
        before = [each for each in runners.listing(host, opened) if each.id in {r.id for r in rows}]
        stops = [
            jobs.once(("stop", row.id), stopping.stop_job, host, opened, row, asked.now)
            for row in rows
        ]
        for over in stops:
            over.wait()
        return reply(Runners(runners=before))

    @routes.post("/push")
    def push(project: str) -> Response:
        return reply(Pushed(tasks=landing.retry_refused(host, registry.at(host, project))))

    @routes.get("/runners")
    def listing(project: str) -> Response:
        return reply(Runners(runners=runners.listing(host, registry.at(host, project))))

    @routes.get("/target")
    def target(project: str, section: str) -> Response:
        return reply(runners.find(host, registry.at(host, project), section))

    return routes
