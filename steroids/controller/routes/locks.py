from typing import Annotated

from fastapi import APIRouter, Response

from steroids.controller.http import body, reply
from steroids.controller.wiring import Controller
from steroids.services import leases, registry
from steroids.wire.lock import Cleanup, Locks, Release


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.get("/locks")
    def listing(project: str) -> Response:
        return reply(Locks(locks=leases.listing(host, registry.at(host, project))))

    @routes.post("/locks/release")
    def release(project: str, asked: Annotated[Release, body(Release)]) -> Response:
        opened = registry.at(host, project)
        return reply(Locks(locks=leases.release(host, opened, asked.lock, force=asked.force)))

    @routes.post("/locks/cleanup")
    def cleanup(project: str, asked: Annotated[Cleanup, body(Cleanup)]) -> Response:
        opened = registry.at(host, project)
        return reply(Locks(locks=leases.cleanup(host, opened, dry_run=asked.dry_run)))

    return routes
