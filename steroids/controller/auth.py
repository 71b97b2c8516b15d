"""Who is calling: a user, by the mode of the socket's folder; a runner, by its token."""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from steroids.controller.wiring import Controller
from steroids.errors import Unauthorised
from steroids.store import runners
from steroids.store.home_models import Runner


def living_runner(controller: Controller) -> Any:
    """A dependency: the runner whose token the request carries. Raises `Unauthorised`."""

    def look(request: Request) -> Runner:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer" and token:
            with controller.host.store.read() as session:
                row = runners.by_token(session, token)
            if row is not None:
                return row
        raise Unauthorised("No living runner has this token")

    check: Callable[[Request], Runner] = look
    return Depends(check)
