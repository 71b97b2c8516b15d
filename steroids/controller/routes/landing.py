from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import events, landing, landing_refusal, registry, reverting
from steroids.wire.revert import Revert, Reverting
from steroids.wire.runner import Pushed


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/push")
    def push(project: str) -> Response:
        found = registry.at(host, project)
        since = events.last(found)
        # One of them may have landed before the queue is read.
        refused = landing_refusal.retry_refused(host, found)
        others = [each for each in landing.queue(found) if each not in refused]
        return reply(Pushed(tasks=[*refused, *others], since=since))

    @routes.post("/task/revert")
    def revert(project: str, task: str, asked: Annotated[Revert, body(Revert)]) -> Response:
        opened = registry.at(host, project)
        since = events.last(opened)
        made = reverting.revert(host, opened, task, asked)
        return reply(Reverting(task=made, since=since))

    return routes
