"""The fake engine's images: a name, labels, a command, files."""

import builtins
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from steroids.engines import fake_shell
from steroids.engines.fake_box import Box
from steroids.engines.fake_faults import AFTER, BEFORE, Faults
from steroids.engines.images import Image, Progress, Usage
from steroids.engines.spec import File
from steroids.errors import EngineError, ImageMissing


@dataclass(frozen=True)
class FakeImage:
    image: Image
    command: tuple[str, ...]
    files: Mapping[str, File]


class FakeImages:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._numbers = itertools.count(1)
        self._all: dict[str, FakeImage] = {}
        self.used: set[str] = set()
        """Ids of images that containers hold; the engine keeps it up to date."""

    def add(
        self,
        ref: str,
        *,
        labels: Mapping[str, str] | None = None,
        command: Sequence[str] = ("sh", "-c", "wait"),
        files: Mapping[str, File] | None = None,
    ) -> Image:
        """Make an image; a name that another one had moves to it."""
        number = next(self._numbers)
        image_id = f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"
        image = Image(image_id, (), 1000 + number, datetime.now(UTC), dict(labels or {}))
        self._all[image_id] = FakeImage(image, tuple(command), dict(files or {}))
        self._name(image_id, ref)
        return self._all[image_id].image

    def _name(self, image_id: str, ref: str) -> None:
        for other in [known for known in self._all.values() if ref in known.image.refs]:
            self._refs(other, tuple(name for name in other.image.refs if name != ref))
        named = self._all[image_id]
        self._refs(named, (*named.image.refs, ref))

    def _refs(self, known: FakeImage, refs: tuple[str, ...]) -> None:
        self._all[known.image.id] = replace(known, image=replace(known.image, refs=refs))

    def get(self, ref: str) -> FakeImage | None:
        for known in self._all.values():
            if ref == known.image.id or ref in known.image.refs:
                return known
        return None

    def find(self, ref: str) -> Image | None:
        self._faults.at("images.find", BEFORE)
        known = self.get(ref)
        return known.image if known else None

    def list(self, labels: Mapping[str, str]) -> builtins.list[Image]:
        self._faults.at("images.list", BEFORE)
        images = (known.image for known in self._all.values())
        fitting = [image for image in images if labels.items() <= image.labels.items()]
        return sorted(fitting, key=lambda image: image.created_at, reverse=True)

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
        """Knows `FROM` (with `$ARG`) and `RUN` in the words of the toy shell."""
        self._faults.at("images.build", BEFORE)
        if not (context / dockerfile).is_file():
            raise EngineError(f"There is no {context / dockerfile}", hint=f"ls {context}")
        files: Mapping[str, File] = {}
        for line in (context / dockerfile).read_text().splitlines():
            word, _, rest = line.partition(" ")
            progress(line)
            if word == "FROM":
                files = self._base(ref, rest, args).files
            elif word == "RUN":
                box = Box(args, files)
                code = fake_shell.run(box, ("sh", "-c", rest))
                output = b"".join(box.output).decode()
                for printed in output.splitlines():
                    progress(printed)
                if code != 0:
                    raise EngineError(
                        f"Fake could not build {ref}: exit code {code}",
                        hint=f"fake build {context}",
                        details={"tail": output.strip()},
                    )
        image = self.add(ref, labels=labels, files=files)
        self._faults.at("images.build", AFTER)
        return image

    def _base(self, ref: str, name: str, args: Mapping[str, str]) -> FakeImage:
        for key, value in args.items():
            name = name.replace(f"${{{key}}}", value).replace(f"${key}", value)
        base = self.get(name)
        if base is None:
            raise EngineError(f"Fake could not build {ref}: no {name}", hint=f"fake pull {name}")
        return base

    def load_rootfs(self, tar: Path, ref: str) -> Image:
        self._faults.at("images.load_rootfs", BEFORE)
        if not tar.is_file():
            raise EngineError(f"There is no root file system {tar}", hint=f"ls {tar.parent}")
        return self.add(ref)

    def pull(self, ref: str, *, progress: Progress) -> Image:
        self._faults.at("images.pull", BEFORE)
        progress(f"Pulling {ref}")
        raise ImageMissing(
            f"{ref} could not be pulled: the fake has no registry",
            hint="steroids images build --bootstrap",
        )

    def usage(self) -> Usage:
        self._faults.at("images.usage", BEFORE)
        own = {known.image.id: known.image.size_bytes for known in self._all.values()}
        return Usage(sum(own.values()), own)

    def remove(self, ref: str) -> None:
        self._faults.at("images.remove", BEFORE)
        known = self.get(ref)
        if known is None:
            return
        if known.image.id in self.used and known.image.refs in ((ref,), ()):
            raise EngineError(f"Fake could not remove {ref}: in use", hint="steroids ps")
        self._refs(known, tuple(name for name in known.image.refs if name != ref))
        if ref == known.image.id or known.image.refs == (ref,):
            del self._all[known.image.id]
