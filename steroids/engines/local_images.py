"""The local engine's images: folders that containers begin with a copy of."""

import builtins
import contextlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from steroids.engines.images import Image, Progress, Usage
from steroids.engines.local_builtin import REF, fill
from steroids.engines.local_container import Container
from steroids.engines.local_folders import Folders, copy_tree, get, put
from steroids.errors import EngineError, ImageMissing

_FACTS = "image.json"
_REF = re.compile(r"[a-z0-9][a-z0-9._:/-]*")
_LOCK = "images"
"""Guards names against each other, and images against losing their last one meanwhile."""


class LocalImages:
    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def ensure_builtin(self) -> None:
        """Put the image in place that is always there: the host, and the runner of this Steroids.

        Its id tells what is in it, so that another Steroids has another one.
        """
        with self._folders.half_made() as half:
            image_id, labels, command = fill(half / "root")
            with self._folders.locked(_LOCK):
                if not (self._folders.images / image_id).exists():
                    self._write(half, labels, command)
                    half.rename(self._folders.images / image_id)
                if self._id(REF) != image_id:
                    self._name(image_id, REF)
                self._drop_nameless()

    def find(self, ref: str) -> Image | None:
        image_id = self._id(ref)
        return self._image(image_id) if image_id else None

    def list(self, labels: Mapping[str, str]) -> builtins.list[Image]:
        found = (self._image(folder.name) for folder in self._folders.images.iterdir())
        images = [each for each in found if each and labels.items() <= each.labels.items()]
        return sorted(images, key=lambda image: image.created_at, reverse=True)

    def root_of(self, ref: str) -> tuple[str, Path, builtins.list[str]]:
        """An image's id, files and command. Raises `ImageMissing`."""
        image_id = self._id(ref)
        facts = self._facts(image_id) if image_id else None
        if image_id is None or facts is None:
            raise ImageMissing(
                f"There is no image {ref}",
                hint="steroids up   # the local engine makes its images itself",
            )
        return f"sha256:{image_id}", self._folders.images / image_id / "root", facts["command"]

    def add(
        self, ref: str, source: Container, labels: Mapping[str, str], command: Sequence[str]
    ) -> str:
        """Make an image of a container's files; returns its id. Raises `EngineError`."""
        if not _REF.fullmatch(ref):
            raise EngineError(f"{ref} is no name for an image", hint="use lower case letters")
        facts = source.facts()
        with self._folders.half_made() as half:
            copy_tree(source.root, half / "root")
            for inside in facts.mounts if facts else ():
                place = half / "root" / inside.lstrip("/")
                place.unlink(missing_ok=True)
                place.mkdir()
            self._write(half, labels, command)
            image_id = secrets.token_hex(32)
            with self._folders.locked(_LOCK):
                half.rename(self._folders.images / image_id)
                self._name(image_id, ref)
                self._drop_nameless()
        return f"sha256:{image_id}"

    def remove(self, ref: str) -> None:
        with self._folders.locked(_LOCK):
            image_id = self._id(ref)
            if image_id is None:
                return
            refs = self._refs(image_id)
            if REF in refs:
                raise EngineError(f"The image {ref} is built in", hint="steroids images list")
            going = refs if ref.startswith("sha256:") else [ref]
            if set(refs) <= set(going) and f"sha256:{image_id}" in self._used():
                raise EngineError(
                    f"The image {ref} is in use: a container is made of it", hint="steroids ps"
                )
            for each in going:
                self._ref_file(each).unlink(missing_ok=True)
            self._drop_nameless()

    def build(
        self,
        context: Path,
        ref: str,
        *,
        args: Mapping[str, str],
        labels: Mapping[str, str],
        progress: Progress,
        dockerfile: str = "Dockerfile",
        target: str = "",
    ) -> Image:
        raise self._cannot(f"build {ref}")

    def usage(self) -> Usage:
        own = {image.id: image.size_bytes for image in self.list({})}
        return Usage(sum(own.values()), own)

    def load_rootfs(self, tar: Path, ref: str) -> Image:
        raise self._cannot(f"load {tar}")

    def pull(self, ref: str, *, progress: Progress) -> Image:
        raise ImageMissing(
            f"{ref} could not be pulled: the local engine has no registry",
            hint="steroids up --engine auto",
        )

    def _cannot(self, what: str) -> EngineError:
        return EngineError(
            f"The local engine cannot {what}: its runners use the programs of this host",
            hint="steroids images build --engine auto",
        )

    def _write(self, half: Path, labels: Mapping[str, str], command: Sequence[str]) -> None:
        facts = {
            "labels": {key: value for key, value in labels.items() if value},
            "command": list(command),
            "created_at": datetime.now(UTC).isoformat(),
            "size_bytes": sum(_sizes(half / "root")),
        }
        put(half / _FACTS, facts)

    def _image(self, image_id: str) -> Image | None:
        facts = self._facts(image_id)
        if facts is None:
            return None
        return Image(
            id=f"sha256:{image_id}",
            refs=tuple(self._refs(image_id)),
            size_bytes=facts["size_bytes"],
            created_at=datetime.fromisoformat(facts["created_at"]),
            labels=facts["labels"],
        )

    def _facts(self, image_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = get(self._folders.images / image_id / _FACTS)
        return found

    def _id(self, ref: str) -> str | None:
        if ref.startswith("sha256:"):
            image_id = ref.removeprefix("sha256:")
            known = re.fullmatch("[0-9a-f]{64}", image_id) and self._facts(image_id)
            return image_id if known else None
        found: str | None = get(self._ref_file(ref))
        return found

    def _refs(self, image_id: str) -> builtins.list[str]:
        named = (file for file in self._folders.refs.iterdir() if file.suffix == ".ref")
        return sorted(unquote(file.stem) for file in named if get(file) == image_id)

    def _name(self, image_id: str, ref: str) -> None:
        put(self._ref_file(ref), image_id)

    def _ref_file(self, ref: str) -> Path:
        return self._folders.refs / f"{quote(ref, safe='')}.ref"

    def _drop_nameless(self) -> None:
        """Those whose name another one has now; and what a crash left before it was named."""
        named = {get(file) for file in self._folders.refs.glob("*.ref")}
        for folder in self._folders.images.iterdir():
            if folder.name not in named and f"sha256:{folder.name}" not in self._used():
                self._folders.discard(folder)

    def _used(self) -> set[str]:
        found = (Container(folder).facts() for folder in self._folders.containers.iterdir())
        return {facts.image for facts in found if facts}


def _sizes(root: Path) -> Iterator[int]:
    for folder, _, names in os.walk(root):
        for name in names:
            # A running container's files come and go.
            with contextlib.suppress(OSError):
                yield Path(folder, name).lstat().st_size
