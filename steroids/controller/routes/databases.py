from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import database_desk, database_sweeping, registry
from steroids.wire.database import DatabasePrune, DatabaseReset, Databases, DatabasesPruned


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.get("/databases")
    def listing(project: str) -> Response:
        found = database_desk.listing(host, registry.at(host, project))
        return reply(Databases(databases=found))

    @routes.post("/databases/reset")
    def reset(project: str, asked: Annotated[DatabaseReset, body(DatabaseReset)]) -> Response:
        """Answers when it can be used again."""
        opened = registry.at(host, project)
        return reply(database_desk.reset(host, controller.jobs, opened, asked.section))

    @routes.get("/databases/door")
    def door(project: str, section: str) -> Response:
        return reply(database_desk.door(host, registry.at(host, project), section))

    @routes.post("/databases/prune")
    def prune(asked: Annotated[DatabasePrune, body(DatabasePrune)]) -> Response:
        return reply(DatabasesPruned(removed=database_sweeping.prune(host, asked.dry_run)))

    return routes
