"""Between HTTP and wire types: decoding bodies, encoding answers, errors as answers."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from fastapi import Depends, FastAPI, Request, Response

from steroids.errors import BadBody, SteroidsError, UsageError
from steroids.services.disk import Disk
from steroids.wire.body import encode
from steroids.wire.error import ErrorBody, from_exception

T = TypeVar("T")
MAX_BODY_BYTES = 16 * 1024 * 1024
BUG_EXIT_CODE = 70

log = logging.getLogger("steroids.http")


def body(kind: type[T]) -> Any:
    """A dependency that reads the request's JSON as `kind`. Raises `BadBody` for a bad one."""

    async def read(request: Request) -> T:
        raw = bytearray()
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY_BYTES:
                raise UsageError(f"The request is larger than {MAX_BODY_BYTES} bytes")
        try:
            return msgspec.json.decode(bytes(raw), type=kind)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadBody(f"The request's body is not a {kind.__name__}: {error}") from None

    return Depends(read)


def reply(answer: object) -> Response:
    return Response(encode(answer), media_type="application/json")


def done() -> Response:
    return Response(b"{}", media_type="application/json")


def answer_errors(app: FastAPI, log_path: str, disk: Disk) -> None:
    """Turn every failure into an `ErrorBody`, a bug's too, with its trace in the log only."""

    async def expected(request: Request, error: Exception) -> Response:
        assert isinstance(error, SteroidsError)
        if disk.note(error):
            error = disk.error()
        raw = encode(from_exception(error))
        return Response(raw, status_code=error.http_status, media_type="application/json")

    async def guard(
        request: Request, call_next: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Response:
        try:
            return await call_next(request)
        except SteroidsError as error:
            return await expected(request, error)
        except Exception as error:
            if disk.note(error):
                return await expected(request, disk.error())
            # A bug must reach the user as one line and the log whole; uvicorn would answer
            # with neither.
            log.exception("%s %s", request.method, request.url.path)
            bug = ErrorBody(
                error=f"A bug in Steroids; the trace is in {log_path}",
                code="BUG",
                hint="steroids daemon logs",
                exit_code=BUG_EXIT_CODE,
            )
            return Response(encode(bug), status_code=500, media_type="application/json")

    app.add_exception_handler(SteroidsError, expected)
    app.middleware("http")(guard)
