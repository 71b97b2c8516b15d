"""The fake engine's networks: names, labels, and who is on them."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network

from steroids.engines.fake_faults import AFTER, BEFORE, Faults
from steroids.engines.networks import Network
from steroids.engines.spec import Handle
from steroids.engines.subnets import free_subnets
from steroids.errors import ContainerGone, EngineError, NameTaken


class FakeNetworks:
    def __init__(self, faults: Faults, there: Callable[[str], bool]) -> None:
        """`there`: whether the engine has a container of that id."""
        self._faults, self._there = faults, there
        self._numbers = itertools.count(1)
        self._all: dict[str, Network] = {}
        self._on: dict[str, set[str]] = {}
        """Ids of the containers on each."""
        self._lock = threading.Lock()
        """Guards both."""

    def create(self, name: str, labels: Mapping[str, str], *, internal: bool = False) -> Network:
        self._faults.at("networks.create", BEFORE)
        with self._lock:
            found = next((each for each in self._all.values() if each.name == name), None)
            if found is None:
                found = self._make(name, labels, internal)
        if (dict(found.labels), found.internal) != (dict(labels), internal):
            raise NameTaken(
                f"A network named {name} exists and is not this one",
                hint=f"fake network rm {name}",
                details={"network": found.id},
            )
        self._faults.at("networks.create", AFTER)
        return found

    def _make(self, name: str, labels: Mapping[str, str], internal: bool) -> Network:
        number = next(self._numbers)
        network_id = hashlib.sha256(f"network {number}".encode()).hexdigest()
        taken = [IPv4Network(each.subnet) for each in self._all.values()]
        subnet = str(next(free_subnets(name, taken)))
        made = Network(network_id, name, dict(labels), subnet, internal)
        self._all[network_id] = made
        return made

    def list_owned(self, labels: Mapping[str, str]) -> list[Network]:
        self._faults.at("networks.list_owned", BEFORE)
        with self._lock:
            return [each for each in self._all.values() if labels.items() <= each.labels.items()]

    def remove(self, network: Network) -> None:
        self._faults.at("networks.remove", BEFORE)
        with self._lock:
            if self._on.get(network.id):
                raise EngineError(
                    f"Fake could not remove the network {network.name}: in use",
                    hint="steroids down",
                )
            self._all.pop(network.id, None)
        self._faults.at("networks.remove", AFTER)

    def connect(self, network: Network, handle: Handle, aliases: Sequence[str]) -> None:
        self._faults.at("networks.connect", BEFORE)
        with self._lock:
            if network.id not in self._all:
                raise EngineError(f"There is no network {network.name}", hint="steroids ps")
            if not self._there(handle.id):
                raise ContainerGone(f"There is no container {handle.name}", hint="steroids ps")
            self._on.setdefault(network.id, set()).add(handle.id)
        self._faults.at("networks.connect", AFTER)

    def disconnect(self, network: Network, handle: Handle) -> None:
        self._faults.at("networks.disconnect", BEFORE)
        with self._lock:
            self._on.get(network.id, set()).discard(handle.id)

    def join(self, name: str, container: str) -> None:
        """A container of that id was made on that network. Raises `EngineError` without one."""
        with self._lock:
            network = next((each for each in self._all.values() if each.name == name), None)
            if network is None:
                raise EngineError(f"There is no network {name}", hint="steroids ps")
            self._on.setdefault(network.id, set()).add(container)

    def left(self, container: str) -> None:
        """A container of that id is gone; the engine keeps it up to date."""
        with self._lock:
            for on_it in self._on.values():
                on_it.discard(container)
