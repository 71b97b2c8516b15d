"""Networks of Docker and Podman. See `engines/networks.py` for what each call promises."""

import contextlib
import hashlib
import json
import threading
import zlib
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, ip_network
from itertools import islice
from typing import Any

from docker.errors import APIError, NotFound

from steroids.engines import podman_networks
from steroids.engines.container_create import SPEC_LABEL
from steroids.engines.container_errors import answers, is_gone, is_no_answer, says
from steroids.engines.container_wire import call
from steroids.engines.networks import Network
from steroids.engines.spec import Handle
from steroids.engines.subnets import free_subnets, host_routes
from steroids.errors import ContainerGone, EngineError, NameTaken

DOCKER = "docker"
_TRIES = 8
"""Subnets to try that others have taken in the meantime."""


class ContainerNetworks:
    def __init__(self, engine: str, client: Any) -> None:
        self._engine = engine
        self._client = client
        self._creating = [threading.Lock() for _ in range(16)]
        """Guard looking for a name and then taking it: Docker may give one name twice. What is
        outside this process has names of its own. One for some of the names each, since making a
        network takes Docker 0.1 s, and several take it no longer."""

    def create(self, name: str, labels: Mapping[str, str], *, internal: bool = False) -> Network:
        digest = _digest(name, labels, internal)
        body = {
            "Name": name,
            "Driver": "bridge",
            "CheckDuplicate": True,
            "Internal": internal,
            "Labels": {**labels, SPEC_LABEL: digest},
        }
        if internal and self._engine == DOCKER:
            # Without it the host is on the network too, with all that it listens on everywhere.
            body["Options"] = {"com.docker.network.bridge.inhibit_ipv4": "true"}
        creating = self._creating[zlib.crc32(name.encode()) % len(self._creating)]
        with creating, answers(self._engine, f"create the network {name}"):
            found = self._make(body) or self._named(name)
        if found is None:
            raise EngineError(
                f"{self._engine.capitalize()} says that it made the network {name}, and does not "
                "have it",
                hint=f"{self._engine} network ls",
            )
        if (found.get("Labels") or {}).get(SPEC_LABEL) != digest:
            raise NameTaken(
                f"A network named {name} exists and is not this one",
                hint=f"{self._engine} network rm {name}",
                details={"network": found["Id"]},
            )
        return _network(found)

    def _named(self, name: str) -> dict[str, Any] | None:
        return next((row for row in self._rows() if row["Name"] == name), None)

    def _rows(self, labels: Sequence[str] = ()) -> list[dict[str, Any]]:
        if self._engine == "podman":
            return podman_networks.listing(self._client, labels)
        return list(self._client.networks(filters={"label": list(labels)} if labels else None))

    def _make(self, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Make it and return its row; None: not known, or there is one of this name already.

        The engine is first asked for a subnet without knowing what it has: it refuses what
        overlaps, and to list all networks takes it longer than to make one.
        """
        name, taken = str(body["Name"]), host_routes()
        for subnet in islice(free_subnets(name, taken), 1):
            with contextlib.suppress(_Overlaps):
                return self._try(body, str(subnet))
        rows = self._rows()
        for subnet in islice(free_subnets(name, taken | _subnets(rows)), _TRIES):
            with contextlib.suppress(_Overlaps):
                return self._try(body, str(subnet))
        # All of ours are taken, by a VPN perhaps: the engine's own pools are what is left.
        self._try(body, None)
        return None

    def _try(self, body: Mapping[str, Any], subnet: str | None) -> Mapping[str, Any] | None:
        """As `_make`, with this subnet; raises `_Overlaps`: it is in use."""
        try:
            answer = self._post(body, subnet)
        except APIError as error:
            # Podman looks through the host's devices, and one may go while it does.
            if _is_overlap(error) or "no such network interface" in says(error):
                raise _Overlaps from error
            if _is_there(error):
                return None
            raise
        told = answer if isinstance(answer, dict) else {}
        ident = told.get("Id") or told.get("id")
        ipam = {"Config": [{"Subnet": subnet}]}
        return {**body, "Id": ident, "IPAM": ipam} if subnet and ident else None

    def _post(self, body: Mapping[str, Any], subnet: str | None) -> Any:
        if self._engine == "podman":
            return podman_networks.create(self._client, body, subnet)
        ipam = {"IPAM": {"Driver": "default", "Config": [{"Subnet": subnet}]}} if subnet else {}
        return call(self._client, "POST", "/networks/create", json={**body, **ipam}).json()

    def connect(self, network: Network, handle: Handle, aliases: Sequence[str]) -> None:
        with answers(self._engine, f"connect {handle.name} to {network.name}"):
            try:
                self._client.connect_container_to_network(
                    handle.id, network.id, aliases=list(aliases)
                )
            except APIError as error:
                if is_gone(error) and not _is_gone(error):
                    raise ContainerGone(
                        f"There is no container {handle.name}", hint="steroids ps"
                    ) from error
                if not self._is_on(network, handle):
                    raise

    def disconnect(self, network: Network, handle: Handle) -> None:
        with answers(self._engine, f"disconnect {handle.name} from {network.name}"):
            try:
                self._client.disconnect_container_from_network(handle.id, network.id, force=True)
            except APIError as error:
                if is_no_answer(error) or self._is_on(network, handle):
                    raise

    def _is_on(self, network: Network, handle: Handle) -> bool:
        try:
            on = self._client.inspect_container(handle.id)["NetworkSettings"]["Networks"] or {}
        except NotFound:
            return False
        return network.name in on

    def list_owned(self, labels: Mapping[str, str]) -> list[Network]:
        wanted = [SPEC_LABEL, *(f"{key}={value}" for key, value in labels.items())]
        with answers(self._engine, "list networks"):
            rows = self._rows(wanted)
        # Not every Podman wants all of several labels: looked at here once more.
        ours = (_network(row) for row in rows if (row.get("Labels") or {}).get(SPEC_LABEL))
        return [network for network in ours if labels.items() <= network.labels.items()]

    def remove(self, network: Network) -> None:
        with answers(self._engine, f"remove the network {network.name}"):
            # Podman removes one that is in use, and leaks its bridge and rules; Docker one whose
            # containers stand still, which can then never be started again.
            on_it = self._client.containers(all=True, filters={"network": [network.id]})
            if on_it:
                names = ", ".join(row["Names"][0].lstrip("/") for row in on_it)
                raise EngineError(
                    f"{self._engine.capitalize()} could not remove the network {network.name}: "
                    f"{names} on it",
                    hint="steroids down",
                )
            try:
                self._client.remove_network(network.id)
            except APIError as error:
                if not _is_gone(error):
                    raise


class _Overlaps(Exception):
    """A subnet that is in use."""


def _subnets(rows: Sequence[Mapping[str, Any]]) -> set[IPv4Network]:
    found = (ip_network(subnet) for row in rows for subnet in _of(row))
    return {subnet for subnet in found if isinstance(subnet, IPv4Network)}


def _digest(name: str, labels: Mapping[str, str], internal: bool) -> str:
    plain = json.dumps([name, dict(labels), internal], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _of(row: Mapping[str, Any]) -> list[str]:
    configs = (row.get("IPAM") or {}).get("Config") or []
    return [config["Subnet"] for config in configs if config.get("Subnet")]


def _network(row: Mapping[str, Any]) -> Network:
    labels = {key: value for key, value in row["Labels"].items() if key != SPEC_LABEL}
    subnet = next(iter(_of(row)), "")
    return Network(row["Id"], row["Name"], labels, subnet, bool(row.get("Internal")))


def _is_gone(error: APIError) -> bool:
    """A bare 404 does not say so: a proxy, or some other program there, says that too."""
    words = says(error).lower()
    return isinstance(error, NotFound) and "network" in words and "not found" in words


def _is_there(error: APIError) -> bool:
    words = says(error)
    return error.status_code == 409 and ("already exists" in words or "already used" in words)


def _is_overlap(error: APIError) -> bool:
    """403 on Docker, 400 or 409 on newer ones, 500 on Podman."""
    words = says(error).lower()
    return not is_no_answer(error) and ("overlap" in words or "already used on the host" in words)
