"""The two applications: one for users, one for runners.

They listen on sockets of their own, so that nothing a runner sends can ever reach a user's route.
"""

from fastapi import FastAPI

from steroids.controller.http import answer_errors
from steroids.controller.routes import (
    daemon,
    databases,
    events,
    history,
    images,
    landing,
    locks,
    loop,
    projects,
    runner,
    runners,
    sections,
    tasks,
    verdicts,
    wakeups,
)
from steroids.controller.wiring import Controller


def user_app(controller: Controller) -> FastAPI:
    app = _app(controller)
    for part in (
        *(daemon, projects, sections, tasks, history, verdicts, landing),
        *(runners, wakeups, loop, locks, events, images, databases),
    ):
        app.include_router(part.router(controller), prefix="/v1")
    return app


def runner_app(controller: Controller) -> FastAPI:
    app = _app(controller)
    app.include_router(runner.router(controller), prefix="/v1")
    return app


def _app(controller: Controller) -> FastAPI:
    app = FastAPI(title="Steroids", openapi_url=None, docs_url=None, redoc_url=None)
    answer_errors(app, str(controller.log_path), controller.disk)
    return app
