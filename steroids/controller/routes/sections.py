from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import registry, section_edits, sections
from steroids.wire.section import SectionAdd, SectionEdit, SectionOne, Sections


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.post("/sections")
    def add(project: str, asked: Annotated[SectionAdd, body(SectionAdd)]) -> Response:
        return reply(SectionOne(section=sections.add(host, registry.at(host, project), asked)))

    @routes.get("/sections")
    def listing(project: str) -> Response:
        return reply(Sections(sections=sections.listing(registry.at(host, project))))

    @routes.get("/section")
    def one(project: str, section: str) -> Response:
        return reply(SectionOne(section=sections.show(registry.at(host, project), section)))

    @routes.post("/section")
    def edit(
        project: str, section: str, asked: Annotated[SectionEdit, body(SectionEdit)]
    ) -> Response:
        opened = registry.at(host, project)
        return reply(SectionOne(section=section_edits.edit(host, opened, section, asked)))

    @routes.post("/section/remove")
    def remove(project: str, section: str, dry_run: bool = False) -> Response:
        opened = registry.at(host, project)
        removed = section_edits.remove(host, opened, section, dry_run=dry_run)
        return reply(SectionOne(section=removed))

    return routes
