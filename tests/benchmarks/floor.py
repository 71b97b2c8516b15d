"""What the engines' own programs and sockets take, and what they say about a container."""

import os
import time
from pathlib import Path
from typing import Any

import docker

from steroids import proc
from steroids.engines.base import Engine
from tests.benchmarks.monorepo import NotMeasured, disk_bytes, run

PODMAN_CONF = Path("/etc/steroids/containers.conf")
"""Where `make engines` puts what Podman needs on a machine that restricts it."""


class Floor:
    """One engine, by its own program and by its API, with nothing of Steroids in between."""

    def __init__(self, engine: Engine, image: str) -> None:
        self.name = engine.name
        self.image = image
        address = engine.capabilities().address
        self.api: Any = docker.APIClient(base_url=address, version="1.41", timeout=60)
        self.program = self._working(address)

    def close(self) -> None:
        self.api.close()

    def run_true(self) -> float:
        """`docker run --rm IMAGE true`, in seconds."""
        began = time.perf_counter()
        run(*self.program, "run", "--rm", self.image, "true", cwd=Path("/"))
        return time.perf_counter() - began

    def api_true(self) -> float:
        """The same by the API: create, start, wait; the removal is not counted."""
        began = time.perf_counter()
        container = self.api.create_container(self.image, ["true"])["Id"]
        self.api.start(container)
        self.api.wait(container)
        took_s = time.perf_counter() - began
        self.api.remove_container(container, force=True)
        return took_s

    def ps(self) -> float:
        began = time.perf_counter()
        run(*self.program, "ps", cwd=Path("/"))
        return time.perf_counter() - began

    def size_bytes(self, container: str) -> int:
        """What `ps --size` shows."""
        row = run(
            *(*self.program, "inspect", "--size", "--format", "{{.SizeRw}}", container),
            cwd=Path("/"),
        )
        return int(row.strip())

    def layer_bytes(self, container: str) -> int | None:
        """What the container's own layer takes on the disk; None where it is not to be seen."""
        facts = self.api.inspect_container(container)
        upper = Path(facts["GraphDriver"]["Data"].get("UpperDir", "/nowhere"))
        return disk_bytes(upper) if upper.is_dir() and os.access(upper, os.R_OK) else None

    def memory_bytes(self, container: str) -> int | None:
        """Proportional memory of all its processes; None where they are not to be seen."""
        pids = _family(self.api.inspect_container(container)["State"]["Pid"])
        files = [Path(f"/proc/{pid}/smaps_rollup") for pid in pids]
        if not all(os.access(file, os.R_OK) for file in files):
            return None
        lines = [line for file in files for line in file.read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

    def _working(self, address: str) -> list[str]:
        """The program as people type it, else with what it needs on a restricted machine."""
        ways = [[self.name]]
        if self.name == "podman":
            if PODMAN_CONF.exists():
                ways.append(["env", f"CONTAINERS_CONF={PODMAN_CONF}", "podman"])
            ways.append(["podman", "--remote", "--url", address])
        for way in ways:
            argv = [*way, "run", "--rm", self.image, "true"]
            try:
                if proc.run(argv, timeout_s=60).ok:
                    return way
            except FileNotFoundError:
                continue
        raise NotMeasured(f"`{self.name} run` does not work here")


def _family(pid: int) -> list[int]:
    """The process and all that it started, as the host numbers them."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    words = children.read_text().split() if children.exists() else []
    return [pid, *(found for word in words for found in _family(int(word)))]
