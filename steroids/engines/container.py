"""Docker and Podman, through the Docker SDK: one implementation for both sockets.

The low-level client is used, since start-up time is what users wait for: `start` is create (and
put the files) and start, nothing else, unless something is in the way.
"""

import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from docker.errors import APIError

from steroids.engines import container_commit, container_exec, container_facts, container_logs
from steroids.engines.container_create import SPEC_LABEL, archive, create_body, digest, own_labels
from steroids.engines.container_errors import (
    answers,
    is_gone,
    is_image_missing,
    is_name_taken,
    is_no_answer,
    is_quota_refused,
    says,
    unavailable,
)
from steroids.engines.container_facts import Facts
from steroids.engines.container_images import ContainerImages
from steroids.engines.container_networks import ContainerNetworks
from steroids.engines.container_state import state_of
from steroids.engines.container_volumes import ContainerVolumes
from steroids.engines.container_wire import ping
from steroids.engines.spec import (
    Capabilities,
    ContainerSpec,
    ExecResult,
    Handle,
    Owned,
    State,
    Status,
)
from steroids.errors import EngineError, ImageMissing, NameTaken

_SETTLE_S = 10.0
"""How long a removal may be under way, or Podman be unsure of a container that just started."""

_MOMENT_S = 2.0
"""How long Podman may take to say 404 of a container that it is removing."""


class ContainerEngine:
    """`client` is a `docker.APIClient`; the engine owns it. See `engines/base.py`."""

    def __init__(self, name: str, client: Any, address: str = "") -> None:
        self.name = name
        self.address = address
        self._client = client
        self._known: Facts | None = None
        self.images = ContainerImages(name, client)
        self.networks = ContainerNetworks(name, client)
        self.volumes = ContainerVolumes(name, client)

    def close(self) -> None:
        self._client.close()

    def capabilities(self) -> Capabilities:
        with answers(self.name, "say its version"):
            met = ping(self._client)
            facts = self._facts()
        return Capabilities(
            self.name,
            met.version,
            facts.rootless,
            self.address,
            limits=facts.limits,
            memory_bytes=facts.memory_bytes,
        )

    def _facts(self) -> Facts:
        if self._known is None:
            self._known = container_facts.ask(self._client, self.name)
        return self._known

    def start(self, spec: ContainerSpec) -> Handle:
        self._check_mounts(spec)
        with answers(self.name, f"start {spec.name}"):
            self._check_volumes(spec)
            deadline = time.monotonic() + _SETTLE_S
            while True:
                try:
                    created = self._client.create_container_from_config(
                        create_body(spec, self._facts().limits), spec.name
                    )
                except APIError as error:
                    facts = self._facts()
                    if "disk" in facts.limits and is_quota_refused(error):
                        # Now it is known, and the next round asks for none.
                        self._known = replace(facts, limits=facts.limits - {"disk"})
                        continue
                    if is_image_missing(error):
                        raise ImageMissing(
                            f"There is no image {spec.image}", hint="steroids images build"
                        ) from error
                    if not is_name_taken(error) or time.monotonic() > deadline:
                        raise
                    if handle := self._take_up(spec):
                        return handle
                    time.sleep(0.05)
                else:
                    return self._launch(spec, created["Id"], never_ran=True)

    def _take_up(self, spec: ContainerSpec) -> Handle | None:
        """The container that has the name already, running; None when it is just going away."""
        try:
            found = self._client.inspect_container(spec.name)
        except APIError as error:
            if is_gone(error):
                return None
            raise
        # The engines also look names up as prefixes of ids.
        if found["Name"].lstrip("/") != spec.name or found["State"]["Status"] in (
            "removing",
            "dead",
        ):
            return None
        if ((found["Config"].get("Labels") or {}).get(SPEC_LABEL)) != digest(spec):
            raise NameTaken(
                f"A container named {spec.name} exists and is not this one",
                hint=f"{self.name} rm -f {spec.name}",
                details={"container": found["Id"]},
            )
        status = state_of(found).status
        if status is Status.RUNNING:
            return Handle(self.name, found["Id"], spec.name)
        return self._launch(spec, found["Id"], never_ran=status is Status.CREATED)

    def _launch(self, spec: ContainerSpec, container: str, *, never_ran: bool) -> Handle:
        handle = Handle(self.name, container, spec.name)
        try:
            if spec.files:
                self._client.put_archive(container, "/", archive(spec.files))
            self._client.start(container)
        except APIError as error:
            # One that has run before may hold work: it is left for the caller to look at.
            if never_ran and not is_no_answer(error):
                self.remove(handle)
            raise
        return handle

    def _check_mounts(self, spec: ContainerSpec) -> None:
        """Docker refuses a source that is missing; Podman silently makes a folder of it."""
        local = self.address.startswith("unix://") and sys.platform == "linux"
        if self.name != "podman" or not local:
            return
        for mount in spec.mounts:
            if not Path(mount.source).exists():
                raise EngineError(
                    f"Podman could not start {spec.name}: there is no {mount.source} to mount",
                    hint=f"mkdir -p {mount.source}",
                )

    def _check_volumes(self, spec: ContainerSpec) -> None:
        """The engines make those that are missing, which nobody would then remove."""
        for mount in spec.volumes:
            if not self.volumes.exists(mount.volume):
                raise EngineError(
                    f"{self.name.capitalize()} could not start {spec.name}: "
                    f"there is no volume {mount.volume}",
                    hint=f"{self.name} volume ls",
                )

    def inspect(self, handle: Handle) -> State:
        doing = f"look at {handle.name}"
        deadline = time.monotonic() + _MOMENT_S
        with answers(self.name, doing):
            while True:
                try:
                    return state_of(self._client.inspect_container(handle.id))
                except APIError as error:
                    if is_gone(error):
                        return State(Status.GONE)
                    # Podman, in the moment of a removal: 500, with the words of a 404.
                    vanishing = "no such container" in says(error)
                    if not vanishing or time.monotonic() > deadline:
                        raise unavailable(self.name, doing, says(error)) from error
                time.sleep(0.02)

    def stop(self, handle: Handle, grace_s: float) -> None:
        with answers(self.name, f"stop {handle.name}"):
            try:
                self._client.stop(handle.id, timeout=math.ceil(grace_s))
            except APIError as error:
                # Podman answers 500 when the container ends by itself in the same moment.
                if not is_gone(error) and self.inspect(handle).status is Status.RUNNING:
                    raise

    def remove(self, handle: Handle) -> None:
        with answers(self.name, f"remove {handle.name}"):
            deadline = time.monotonic() + _SETTLE_S
            while True:
                try:
                    self._client.remove_container(handle.id, v=True, force=True)
                    return
                except APIError as error:
                    if is_gone(error):
                        return
                    # 409: someone else is at it. 500: Podman, straight after a start.
                    if is_no_answer(error) or time.monotonic() > deadline:
                        raise
                time.sleep(0.05)

    def exec(
        self, handle: Handle, argv: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        with answers(self.name, f"run {argv[0]} in {handle.name}"):
            return container_exec.run(self._client, handle, argv, user=user, workdir=workdir)

    def written(self, handle: Handle) -> int | None:
        with answers(self.name, f"look at the size of {handle.name}"):
            try:
                return container_facts.written(self._client, handle.id)
            except APIError as error:
                if is_gone(error):
                    return None
                raise

    def logs(
        self, handle: Handle, *, follow: bool = False, tail: int | None = None
    ) -> Iterator[bytes]:
        chunks = container_logs.read(
            self._client, handle, follow=follow, tail=tail, look=self.inspect
        )
        # The first item says that the stream is open: failures to open it are raised here.
        next(chunks)
        return filter(None, chunks)

    def commit(
        self, handle: Handle, ref: str, *, labels: Mapping[str, str], command: Sequence[str]
    ) -> str:
        with answers(self.name, f"commit {handle.name} as {ref}"):
            return container_commit.commit(
                self._client, handle, ref, labels=labels, command=command
            )

    def list_owned(self, labels: Mapping[str, str]) -> list[Owned]:
        wanted = [f"{key}={value}" for key, value in labels.items()]
        with answers(self.name, "list containers"):
            rows = self._client.containers(all=True, filters={"label": wanted})
        found = (self._owned(row, labels) for row in rows)
        return [owned for owned in found if owned]

    def _owned(self, row: Mapping[str, Any], wanted: Mapping[str, str]) -> Owned | None:
        own = own_labels(row.get("Labels"))
        if own is None or not wanted.items() <= own.items():
            return None
        handle = Handle(self.name, row["Id"], row["Names"][0].lstrip("/"))
        known = {"running": Status.RUNNING, "created": Status.CREATED}.get(
            str(row.get("State")).lower()
        )
        if known is not None:
            return Owned(handle, State(known), own)
        # The list has no exit codes but in prose; containers that have ended are few. (One that
        # is just being started is not asked about: the engine would answer after the start.)
        state = self.inspect(handle)
        return None if state.status is Status.GONE else Owned(handle, state, own)
