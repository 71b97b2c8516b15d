from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.git.command import without_password
from steroids.services import registry
from steroids.setting_groups import shown_server
from steroids.settings import flatten
from steroids.wire.daemon import Setting, Settings
from steroids.wire.project import Init, Projects


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/projects")
    def init(asked: Annotated[Init, body(Init)]) -> Response:
        return reply(registry.init(host, asked))

    @routes.get("/projects")
    def listing() -> Response:
        return reply(Projects(projects=[registry.wire(row) for row in host.projects()]))

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
