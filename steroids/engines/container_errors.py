"""What Docker's and Podman's failures mean: an answer that says no, or no answer at all.

The two engines agree on 404 alone; nearly everything else is a 500 on Podman. So a code other
than 404 is never taken for a fact about a container.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from steroids.errors import ContainerGone, EngineError, EngineUnavailable

_GATEWAY_CODES = (502, 503, 504)
_DYING_ENGINE = (
    "context canceled",
    "client connection is closing",
    "code = unavailable",
    "shutting down",
)
"""What an engine answers with 500 while it, or its containerd, goes away."""


def says(error: APIError) -> str:
    """The engine's own words, in one line."""
    return " ".join(str(error.explanation or error).split())


def is_gone(error: APIError) -> bool:
    """Whether the engine said that there is no such container.

    A bare 404 does not: a proxy, or some other program behind the address, says that too.
    """
    return isinstance(error, NotFound) and "no such container" in says(error).lower()


def is_image_missing(error: APIError) -> bool:
    return isinstance(error, ImageNotFound)


def is_name_taken(error: APIError) -> bool:
    """409 on Docker and newer Podman, 500 on Podman 4."""
    return error.status_code in (409, 500) and "already in use" in says(error)


def is_volume_gone(error: APIError) -> bool:
    """As `is_gone`, of a volume."""
    return isinstance(error, NotFound) and "no such volume" in says(error).lower()


def is_quota_refused(error: APIError) -> bool:
    """Whether it is the storage that cannot keep a limit of a container's files."""
    words = says(error).lower()
    return not is_no_answer(error) and ("storage-opt" in words or "quota" in words)


def is_no_answer(error: APIError) -> bool:
    """Whether this response says nothing about what was asked."""
    words = says(error).lower()
    return error.status_code in _GATEWAY_CODES or any(sign in words for sign in _DYING_ENGINE)


def _hint(engine: str, error: APIError) -> str:
    if "no space left on device" in says(error).lower():
        return f"{engine} system df   (to make room: steroids images prune)"
    return "steroids doctor"


def unavailable(engine: str, doing: str, why: object) -> EngineUnavailable:
    reason = " ".join(str(why).split()) or type(why).__name__
    return EngineUnavailable(
        f"{engine.capitalize()} did not answer while trying to {doing}: {reason}",
        hint="steroids doctor",
    )


@contextmanager
def answers(engine: str, doing: str) -> Iterator[None]:
    """Turn the SDK's failures inside into `ContainerGone`, `EngineError`, `EngineUnavailable`.

    The order matters: `APIError` is a `RequestException` too, and an existing client raises
    requests' errors where a new one raises `DockerException`; streams raise urllib3's.
    """
    try:
        yield
    except APIError as error:
        if is_no_answer(error):
            raise unavailable(engine, doing, says(error)) from error
        if is_gone(error):
            raise ContainerGone(
                f"{engine.capitalize()} could not {doing}: no such container", hint="steroids ps"
            ) from error
        raise EngineError(
            f"{engine.capitalize()} could not {doing}: {says(error)}",
            hint=_hint(engine, error),
            details={"engine": engine, "status": error.status_code},
        ) from error
    except (RequestException, HTTPError, DockerException, OSError) as error:
        raise unavailable(engine, doing, error) from error
