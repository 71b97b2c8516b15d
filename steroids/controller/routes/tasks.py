from typing import Annotated

from fastapi import APIRouter, Query, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import (
    registry,
    task_audit,
    task_checkout,
    task_edits,
    task_ends,
    task_global,
    task_import,
    tasks,
)
from steroids.wire.task import (
    Changes,
    TaskAdd,
    TaskCheckout,
    TaskEdit,
    TaskImport,
    TaskOne,
    Tasks,
    TaskStatus,
)
from steroids.wire.verdict import Judge

Statuses = Annotated[list[TaskStatus], Query(default_factory=list)]


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/tasks")
    def add(project: str, asked: Annotated[TaskAdd, body(TaskAdd)]) -> Response:
        return reply(TaskOne(task=tasks.add(host, registry.at(host, project), asked)))

    @routes.get("/tasks")
    def listing(
        project: str, status: Statuses, section: str | None = None, search: str | None = None
    ) -> Response:
        found = tasks.listing(
            registry.at(host, project), statuses=status, section=section, search=search
        )
        return reply(Tasks(tasks=found))

    @routes.get("/tasks/everywhere")
    def everywhere(
        status: Statuses, section: str | None = None, search: str | None = None
    ) -> Response:
        return reply(task_global.everywhere(host, statuses=status, section=section, search=search))

    @routes.post("/tasks/import")
    def import_(project: str, asked: Annotated[TaskImport, body(TaskImport)]) -> Response:
        return reply(task_import.take_in(host, registry.at(host, project), asked))

    @routes.get("/tasks/audit")
    def audit(project: str, task: str | None = None) -> Response:
        return reply(Changes(audit=task_audit.audit(registry.at(host, project), task)))

    @routes.get("/task")
    def one(project: str, task: str) -> Response:
        return reply(TaskOne(task=tasks.one(registry.at(host, project), task)))

    @routes.post("/task")
    def edit(project: str, task: str, asked: Annotated[TaskEdit, body(TaskEdit)]) -> Response:
        opened = registry.at(host, project)
        return reply(TaskOne(task=task_edits.edit(host, opened, task, asked)))

    @routes.post("/task/skip")
    def skip(project: str, task: str, asked: Annotated[Judge, body(Judge)]) -> Response:
        opened = registry.at(host, project)
        return reply(TaskOne(task=task_ends.skip(host, opened, task, asked.reason)))

    @routes.post("/task/retry")
    def retry(project: str, task: str, asked: Annotated[Judge, body(Judge)]) -> Response:
        opened = registry.at(host, project)
        return reply(TaskOne(task=task_ends.retry(host, opened, task, asked.reason)))

    @routes.post("/task/remove")
    def remove(project: str, task: str, dry_run: bool = False) -> Response:
        opened = registry.at(host, project)
        return reply(TaskOne(task=task_ends.remove(host, opened, task, dry_run=dry_run)))

    @routes.post("/task/checkout")
    def checkout(
        project: str, task: str, asked: Annotated[TaskCheckout, body(TaskCheckout)]
    ) -> Response:
        return reply(task_checkout.checkout(registry.at(host, project), task, asked))

    return routes
