"""From a `ContainerSpec` to what the engines' API wants. Pure."""

import hashlib
import io
import json
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from steroids.engines.spec import ContainerSpec, File

SPEC_LABEL = "io.steroids.spec"
"""The spec's digest: tells our own container from another of the same name."""

KEYS_LABEL = "io.steroids.labels"
"""The keys that the spec set. A container inherits the labels of its image, which a snapshot has
from the container it was made of; without this list the two cannot be told apart."""

LOOPBACK = "127.0.0.1"


def digest(spec: ContainerSpec) -> str:
    """The same for equal specs, also in another process."""
    plain = asdict(spec)
    plain["files"] = [
        (file.path, file.mode, hashlib.sha256(file.content).hexdigest()) for file in spec.files
    ]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def create_body(spec: ContainerSpec, keeps: Collection[str]) -> dict[str, Any]:
    """The body of `POST /containers/create`. Only limits that the engine `keeps` are asked for:
    of some it has not it says nothing, because of others it would not start the container."""
    body: dict[str, Any] = {
        "Image": spec.image,
        "Labels": {
            **spec.labels,
            SPEC_LABEL: digest(spec),
            KEYS_LABEL: " ".join(sorted(spec.labels)),
        },
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "HostConfig": _host_config(spec, keeps),
    }
    if spec.command:
        body["Cmd"] = list(spec.command)
    if spec.ports:
        body["ExposedPorts"] = {f"{port}/tcp": {} for port in spec.ports}
    return body


def _host_config(spec: ContainerSpec, keeps: Collection[str]) -> dict[str, Any]:
    host: dict[str, Any] = {
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.capabilities),
        "SecurityOpt": ["no-new-privileges"],
        # `Binds` would create a source that is missing, as a folder owned by root.
        "Mounts": [
            {
                "Type": "bind",
                "Source": mount.source,
                "Target": mount.target,
                "ReadOnly": mount.read_only,
            }
            for mount in spec.mounts
        ]
        + [
            {
                "Type": "volume",
                "Source": volume.volume,
                "Target": volume.target,
                "ReadOnly": volume.read_only,
            }
            for volume in spec.volumes
        ],
    }
    if spec.network is not None:
        host["NetworkMode"] = spec.network
    if spec.ports:
        free = [{"HostIp": LOOPBACK, "HostPort": ""}]
        host["PortBindings"] = {f"{port}/tcp": free for port in spec.ports}
    host.update(_limits(spec, keeps))
    return host


def _limits(spec: ContainerSpec, keeps: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if spec.disk_bytes is not None and "disk" in keeps:
        found["StorageOpt"] = {"size": str(spec.disk_bytes)}
    if spec.memory_bytes is not None and "memory" in keeps:
        found["Memory"] = spec.memory_bytes
    if spec.cpus is not None and "cpus" in keeps:
        found["NanoCpus"] = round(spec.cpus * 1_000_000_000)
    if spec.pids is not None and "pids" in keeps:
        found["PidsLimit"] = spec.pids
    return found


def own_labels(labels: Mapping[str, str] | None) -> dict[str, str] | None:
    """The labels that a spec gave, of all that its container carries; None when no spec did."""
    labels = labels or {}
    if not labels.get(SPEC_LABEL):
        return None
    return {key: labels.get(key, "") for key in labels.get(KEYS_LABEL, "").split(" ") if key}


def archive(files: Sequence[File]) -> bytes:
    """A tar to unpack at `/`, all of it owned by root.

    Without the usual padding behind its end: Podman reads to the end only, and then sometimes
    fails on having more to pass on.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode = len(file.content), file.mode
            tar.addfile(entry, io.BytesIO(file.content))
        end_bytes = tar.offset + 2 * tarfile.BLOCKSIZE
    return buffer.getvalue()[:end_bytes]
