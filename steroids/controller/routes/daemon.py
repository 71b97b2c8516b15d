import os

import psutil
from fastapi import APIRouter, Response

from steroids import __version__
from steroids.containment import facts
from steroids.controller.engines_now import EnginesNow
from steroids.controller.http import done, reply
from steroids.controller.wiring import Controller
from steroids.errors import SteroidsError
from steroids.services import doctor, registry
from steroids.store import runners
from steroids.wire.daemon import Daemon, DaemonOne, Finding, Findings


def router(controller: Controller) -> APIRouter:
    routes = APIRouter()
    host = controller.host
    engines = EnginesNow(host)

    @routes.get("/daemon")
    def status() -> Response:
        with host.store.read() as session:
            living = len(runners.active(session))
        return reply(
            DaemonOne(
                daemon=Daemon(
                    pid=os.getpid(),
                    version=__version__,
                    home=str(controller.home),
                    since=controller.since,
                    socket=str(controller.home / "controller.sock"),
                    projects=len(host.projects()),
                    runners=living,
                    memory_bytes=psutil.Process().memory_info().rss,
                    engines=engines.look(),
                    container=facts.container_indicators(),
                    in_container=facts.is_container_environment(),
                    listen=controller.listens_on,
                    listen_problem=controller.listen_problem,
                    idle_exit_s=controller.idle_exit_s(),
                )
            )
        )

    @routes.post("/daemon/stop")
    def stop() -> Response:
        """Runners go on working; they find the next controller at the same place."""
        controller.ask_to_stop()
        return done()

    @routes.get("/doctor")
    def look(project: str | None = None) -> Response:
        findings = []
        opened = None
        try:
            opened = registry.at(host, project) if project else None
        except SteroidsError as error:
            # It is what people call when things are not as they should be.
            findings = [Finding(name="project", ok=False, detail=error.message, hint=error.hint)]
        findings += doctor.examine(host, opened) + controller.engines_here()
        return reply(Findings(findings=findings))

    return routes
