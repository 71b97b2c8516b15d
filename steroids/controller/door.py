"""What every request of a user passes before the application sees it."""

import hmac
from collections.abc import Mapping

from fastapi import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from steroids.controller.visits import Visits
from steroids.errors import Forbidden, SteroidsError, Unauthorised
from steroids.wire.body import encode
from steroids.wire.error import from_exception

WAKEUPS = "/v1/wakeups"


class Door:
    """Counts who comes, and turns away who may not: browsers always, and without the `token`
    everybody, if there is one (the socket's folder is what keeps others from the socket)."""

    def __init__(self, app: ASGIApp, visits: Visits, token: str | None = None) -> None:
        self._app = app
        self._visits = visits
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        refusal = self._refusal(headers)
        if refusal is not None:
            body = encode(from_exception(refusal))
            answer = Response(body, refusal.http_status, media_type="application/json")
            await answer(scope, receive, send)
            return
        counts = scope["path"] != WAKEUPS and b"x-steroids-wakeup" not in headers
        with self._visits.one(counts=counts):
            await self._app(scope, receive, send)

    def _refusal(self, headers: Mapping[bytes, bytes]) -> SteroidsError | None:
        # A page of any site can make its reader's browser ask here, under a name of its own for
        # this address. Every browser says so then, and none of our clients does.
        if b"origin" in headers:
            return Forbidden("The controller does not answer browsers", hint="steroids --help")
        if self._token is None:
            return None
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer" and hmac.compare_digest(given, self._token.encode()):
            return None
        return Unauthorised(
            "This is not the controller's token",
            hint="STEROIDS_TOKEN: what is in the file `token` of the controller's home",
        )
