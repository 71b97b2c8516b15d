"""Getting to an engine at an address, and learning which one it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from steroids.engines.container import ContainerEngine
from steroids.engines.container_socket import SocketAdapter
from steroids.engines.container_wire import ANSWER_S, ping
from steroids.errors import EngineUnavailable

_PROBE_S = 5.0
"""An engine that cannot answer a ping within this is taken for absent."""

_PROBE_VERSION = "1.41"


def connect(address: str, environ: Mapping[str, str]) -> ContainerEngine:
    """The engine that answers there; Podman is known by what it says, not by the path.

    TLS as the environment has it for `DOCKER_HOST`. Raises `EngineUnavailable`, with the bare
    reason as its message.
    """
    try:
        tls = _tls(address, environ)
        probe = _client(address, _PROBE_VERSION, _PROBE_S, tls)
        try:
            met = ping(probe)
        finally:
            probe.close()
        client = _client(address, met.api_version, ANSWER_S, tls)
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise EngineUnavailable(_reason(error)) from error
    return ContainerEngine(met.name, client, address)


def _client(address: str, version: str, timeout_s: float, tls: Any) -> Any:
    client = docker.APIClient(base_url=address, version=version, timeout=timeout_s, tls=tls)
    if address.startswith("unix://"):
        path = Path("/", address.removeprefix("unix://"))
        client.mount("http+docker://", SocketAdapter(path, timeout_s))
        # Otherwise every call looks through the environment and ~/.netrc for proxies.
        client.trust_env = False
    return client


def _tls(address: str, environ: Mapping[str, str]) -> Any:
    if environ.get("DOCKER_HOST") != address:
        return False
    return kwargs_from_env(environment=dict(environ)).get("tls", False)


def _reason(error: Exception) -> str:
    text = str(error).lower()
    for sign in ("permission denied", "connection refused", "timed out", "no such file"):
        if sign in text:
            return sign
    return " ".join(str(error).split())
