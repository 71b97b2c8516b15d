from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.git.command import without_password
from steroids.services import project_changes, project_listing, registry
from steroids.setting_groups import shown_server
from steroids.settings import flatten
from steroids.wire.daemon import Setting, Settings
from steroids.wire.project import Init, Move, Named, PruneMissing


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/projects")
    def init(asked: Annotated[Init, body(Init)]) -> Response:
        return reply(registry.init(host, asked))

    @routes.get("/projects")
    def listing() -> Response:
        return reply(project_listing.listing(host))

    @routes.get("/projects/scan")
    def scan(folder: str) -> Response:
        return reply(project_listing.scan(host, folder))

    @routes.post("/projects/enable")
    def enable(asked: Annotated[Named, body(Named)]) -> Response:
        return reply(project_changes.enable(host, asked.path, enabled=True))

    @routes.post("/projects/disable")
    def disable(asked: Annotated[Named, body(Named)]) -> Response:
        return reply(project_changes.enable(host, asked.path, enabled=False))

    @routes.post("/projects/remove")
    def remove(asked: Annotated[Named, body(Named)]) -> Response:
        return reply(project_changes.remove(host, asked.path))

    @routes.post("/projects/move")
    def move(asked: Annotated[Move, body(Move)]) -> Response:
        return reply(project_changes.move(host, asked))

    @routes.post("/projects/prune")
    def prune(asked: Annotated[PruneMissing, body(PruneMissing)]) -> Response:
        return reply(project_changes.prune(host, asked))

    @routes.get("/config")
    def config(project: str | None = None) -> Response:
        opened = registry.at(host, project) if project else None
        resolved = host.resolved(opened)
        values = flatten(resolved.settings.model_dump(mode="json"))
        values["database.server"] = shown_server(resolved.settings.database.server)
        for key in ("proxy.http", "proxy.https"):
            values[key] = values[key] and without_password(values[key])
        return reply(
            Settings(
                settings=[
                    Setting(key=key, value=value, source=resolved.sources.get(key, "default"))
                    for key, value in values.items()
                ]
            )
        )

    return routes
