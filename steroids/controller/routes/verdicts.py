"""A person's word on a task."""

from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import disputes, human, registry
from steroids.wire.task import TaskOne
from steroids.wire.verdict import Judge, Resolve


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/task/approve")
    def approve(project: str, task: str, asked: Annotated[Judge, body(Judge)]) -> Response:
        return reply(TaskOne(task=human.approve(host, registry.at(host, project), task, asked)))

    @routes.post("/task/reject")
    def reject(project: str, task: str, asked: Annotated[Judge, body(Judge)]) -> Response:
        return reply(TaskOne(task=human.reject(host, registry.at(host, project), task, asked)))

    @routes.post("/task/resolve")
    def resolve(project: str, task: str, asked: Annotated[Resolve, body(Resolve)]) -> Response:
        opened = registry.at(host, project)
        return reply(TaskOne(task=disputes.resolve(host, opened, task, asked)))

    return routes
