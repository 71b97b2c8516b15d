"""Calls that the SDK's own methods make without a time limit, with needless extra calls, or with
bytes lost between headers and stream. Its connection, TLS and errors are used all the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException, create_api_error_from_http_exception
from requests.exceptions import HTTPError

ANSWER_S = 60.0
"""How long an engine may be silent in an ordinary call."""

SLOW_ANSWER_S = 1800.0
"""The same for calls that move or build gigabytes before they answer."""


def call(
    client: Any,
    method: str,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    json: Mapping[str, Any] | None = None,
    data: Any = None,
    headers: Mapping[str, str] | None = None,
    stream: bool = False,
    timeout_s: float = ANSWER_S,
) -> Any:
    """One request to the engine; the response, to be closed by the caller when it streams.

    Raises what the SDK raises: `docker.errors.APIError` for an answer that says no, requests'
    errors for none.
    """
    response = client.request(
        method,
        f"{client.base_url}/v{client.api_version}{path}",
        params=params,
        json=json,
        data=data,
        headers=headers,
        stream=stream,
        timeout=timeout_s,
    )
    try:
        response.raise_for_status()
    except HTTPError as error:
        # Raises; it reads the body for the engine's message, which frees the connection.
        create_api_error_from_http_exception(error)
    return response


@dataclass(frozen=True)
class Met:
    """Who answered a ping."""

    name: str
    version: str
    api_version: str


def ping(client: Any) -> Met:
    """Who is there, by the headers of `/_ping`: `version` takes Podman half a second.

    Raises what the SDK raises, also when something answers that is no engine.
    """
    response = client.get(f"{client.base_url}/_ping", timeout=client.timeout)
    response.raise_for_status()
    server = re.match(r"(Docker|Libpod)/([^ ]+)", response.headers.get("Server", ""))
    api_version = response.headers.get("Api-Version")
    if server is None or not api_version:
        raise DockerException("what answers there is neither Docker nor Podman")
    name = "podman" if server[1] == "Libpod" else "docker"
    return Met(name, server[2], api_version)
