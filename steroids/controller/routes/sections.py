from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import registry, sections
from steroids.wire.section import SectionAdd, SectionOne, Sections


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/sections")
    def add(project: str, asked: Annotated[SectionAdd, body(SectionAdd)]) -> Response:
        return reply(SectionOne(section=sections.add(host, registry.at(host, project), asked)))

    @routes.get("/sections")
    def listing(project: str) -> Response:
        return reply(Sections(sections=sections.listing(registry.at(host, project))))

    return routes
