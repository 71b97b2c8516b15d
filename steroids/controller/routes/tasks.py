from typing import Annotated

from fastapi import APIRouter, Query, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import registry, tasks
from steroids.wire.task import TaskAdd, TaskOne, Tasks, TaskStatus


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/tasks")
    def add(project: str, asked: Annotated[TaskAdd, body(TaskAdd)]) -> Response:
        return reply(TaskOne(task=tasks.add(host, registry.at(host, project), asked)))

    @routes.get("/tasks")
    def listing(
        project: str,
        status: Annotated[list[TaskStatus], Query(default_factory=list)],
        section: str | None = None,
        search: str | None = None,
    ) -> Response:
        found = tasks.listing(
            registry.at(host, project), statuses=status, section=section, search=search
        )
        return reply(Tasks(tasks=found))

    @routes.get("/task")
    def one(project: str, task: str) -> Response:
        return reply(TaskOne(task=tasks.one(registry.at(host, project), task)))

    return routes
