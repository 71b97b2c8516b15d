from fastapi import APIRouter, Response

from steroids.controller.http import reply
from steroids.controller.wiring import Controller
from steroids.services import commits, registry
from steroids.wire.commit import Attempts, Commits


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.get("/task/commits")
    def commits_of(project: str, task: str) -> Response:
        return reply(Commits(commits=commits.listing(registry.at(host, project), task)))

    @routes.get("/task/attempts")
    def attempts_of(project: str, task: str) -> Response:
        return reply(Attempts(attempts=commits.attempts(registry.at(host, project), task)))

    @routes.get("/task/diff")
    def diff_of(
        project: str,
        task: str,
        attempt: int | None = None,
        whole: bool = False,
        stat: bool = False,
    ) -> Response:
        opened = registry.at(host, project)
        return reply(commits.diff(opened, task, attempt=attempt, whole=whole, stat=stat))

    return routes
