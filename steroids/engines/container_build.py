"""Building an image with Docker's classic builder or Podman's, and showing how it goes."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException

from steroids.engines.container_errors import answers, unavailable
from steroids.engines.container_wire import SLOW_ANSWER_S
from steroids.engines.images import Progress
from steroids.errors import EngineError

_TAIL_LINES = 30


def build(
    engine: str,
    client: Any,
    context: Path,
    ref: str,
    *,
    args: Mapping[str, str],
    labels: Mapping[str, str],
    progress: Progress,
    dockerfile: str = "Dockerfile",
    target: str = "",
) -> None:
    """Returns when the engine said that `ref` is built.

    Raises `EngineError` with the output's end in the details, `EngineUnavailable` when the stream
    stopped without either.
    """
    if not (context / dockerfile).is_file():
        raise EngineError(f"There is no {context / dockerfile}", hint=f"ls {context}")
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    built = False
    with answers(engine, f"build {ref}"):
        try:
            for line in _lines(_events(client, context, ref, args, labels, dockerfile, target)):
                tail.append(line)
                progress(line)
                built = built or line.startswith("Successfully ")
        except _Refused as refused:
            raise EngineError(
                f"{engine.capitalize()} could not build {ref}: {refused}",
                hint=f"{engine} build {context}",
                details={"tail": "\n".join(tail)},
            ) from None
    if not built:
        raise unavailable(engine, f"build {ref}", "the output ended before the build did")


class _Refused(Exception):
    """The engine's last word on a build that failed."""


def _events(
    client: Any,
    context: Path,
    ref: str,
    args: Mapping[str, str],
    labels: Mapping[str, str],
    dockerfile: str,
    target: str,
) -> Iterator[dict[str, Any]]:
    try:
        yield from client.build(
            path=str(context),
            tag=ref,
            buildargs=dict(args),
            labels=dict(labels),
            dockerfile=dockerfile,
            target=target or None,
            # Proxies come with the arguments; the client's own configuration may have passwords.
            use_config_proxy=False,
            rm=True,
            forcerm=True,
            decode=True,
            timeout=SLOW_ANSWER_S,
        )
    except APIError:
        raise
    except DockerException as error:
        # The SDK itself refuses a name that is not one, before it asks the engine.
        raise _Refused(error) from error


def _lines(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Whole lines: both engines send what a command prints in pieces.

    A refusal is the last event, and is raised once the stream has been read to its end: the SDK
    gives no way to close it earlier.
    """
    rest, refusal = "", ""
    for event in events:
        refusal = refusal or " ".join(event.get("error", "").split())
        text = event.get("stream") or (f"{event['status']}\n" if event.get("status") else "")
        *whole, rest = (rest + text).split("\n")
        yield from (line.rstrip("\r") for line in whole if line.strip())
    if rest.strip():
        yield rest
    if refusal:
        raise _Refused(refusal)
