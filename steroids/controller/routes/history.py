from fastapi import APIRouter, Response

from steroids.controller.http import reply
from steroids.controller.wiring import Controller
from steroids.services import commits, diffs, history, prompts, registry
from steroids.wire.commit import Commits
from steroids.wire.history import Prompt


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host

    @routes.get("/task/history")
    def history_of(project: str, task: str) -> Response:
        return reply(history.of(registry.at(host, project), task))

    @routes.get("/task/commits")
    def commits_of(project: str, task: str, attempt: int | None = None) -> Response:
        found = commits.listing(registry.at(host, project), task, attempt=attempt)
        return reply(Commits(commits=found))

    @routes.get("/task/diff")
    def diff_of(
        project: str,
        task: str,
        attempt: int | None = None,
        whole: bool = False,
        stat: bool = False,
    ) -> Response:
        opened = registry.at(host, project)
        return reply(diffs.of(opened, task, attempt=attempt, whole=whole, stat=stat))

    @routes.get("/task/prompt")
    def prompt_of(project: str, task: str, reviewer: str | None = None) -> Response:
        opened = registry.at(host, project)
        return reply(Prompt(prompt=prompts.preview(host, opened, task, reviewer)))

    return routes
