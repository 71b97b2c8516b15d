"""Images of Docker and Podman. See `engines/images.py` for what each call promises."""

import builtins
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docker import auth
from docker.errors import APIError, NotFound
from docker.utils import parse_repository_tag
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout
from urllib3.exceptions import ReadTimeoutError

from steroids.engines import container_build
from steroids.engines.container_errors import answers, is_no_answer, says
from steroids.engines.container_wire import SLOW_ANSWER_S, call
from steroids.engines.images import Image, Progress, Usage
from steroids.errors import EngineError, ImageMissing

_PULL_SILENCE_S = 60.0
_LIST_S = 20.0
_WENT = ("image not known", "layer not known", "does not exist", "no such")


class ContainerImages:
    def __init__(self, engine: str, client: Any) -> None:
        self._engine = engine
        self._client = client

    def find(self, ref: str) -> Image | None:
        with answers(self._engine, f"look for the image {ref}"):
            try:
                return _image(self._client.inspect_image(ref))
            except NotFound:
                return None

    def list(self, labels: Mapping[str, str]) -> builtins.list[Image]:
        # Podman 4 finds nothing when it is asked for two labels: the rest is looked at here.
        wanted = {"label": [f"{key}={value}" for key, value in labels.items()][:1]}
        with answers(self._engine, "list images"):
            rows = self._retried(lambda: self._client.images(filters=wanted if labels else None))
        found = (_image(row) for row in rows)
        images = {image.id: image for image in found if labels.items() <= image.labels.items()}
        return sorted(images.values(), key=lambda image: image.created_at, reverse=True)

    def usage(self) -> Usage:
        with answers(self._engine, "say what images take"):
            facts = self._retried(self._client.df)
        images, volumes = facts["Images"] or [], facts["Volumes"] or []
        sizes = {row["Name"]: (row.get("UsageData") or {}).get("Size", -1) for row in volumes}
        return Usage(
            total_bytes=int(facts["LayersSize"]) or None,
            own_bytes={_id(row): int(row["Size"]) - int(row["SharedSize"]) for row in images},
            containers={_id(row): int(row["Containers"]) for row in images},
            volume_bytes={name: size for name, size in sizes.items() if size >= 0},
        )

    def _retried(self, ask: Callable[[], Any]) -> Any:
        """Podman fails to list when an image or a container that it is about to tell of goes."""
        deadline = time.monotonic() + _LIST_S
        while True:
            try:
                return ask()
            except APIError as error:
                went = any(sign in says(error) for sign in _WENT)
                if not went or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

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
        container_build.build(
            self._engine,
            self._client,
            context,
            ref,
            args=args,
            labels=labels,
            progress=progress,
            dockerfile=dockerfile,
            target=target,
        )
        return self._made(ref)

    def load_rootfs(self, tar: Path, ref: str) -> Image:
        if not tar.is_file():
            raise EngineError(f"There is no root file system {tar}", hint=f"ls {tar.parent}")
        # Podman ignores `tag=` here: the whole name goes into `repo`.
        with answers(self._engine, f"load {tar} as {ref}"), tar.open("rb") as content:
            response = call(
                self._client,
                "POST",
                "/images/create",
                params={"fromSrc": "-", "repo": ref},
                data=content,
                headers={"Content-Type": "application/tar"},
                timeout_s=SLOW_ANSWER_S,
            )
        for event in _events(response):
            if "error" in event:
                raise EngineError(
                    f"{self._engine.capitalize()} could not load {tar}: {event['error']}",
                    hint=f"tar -tf {tar}",
                )
        return self._made(ref)

    def pull(self, ref: str, *, progress: Progress) -> Image:
        with answers(self._engine, f"pull {ref}"):
            problem = self._pull(ref, progress)
        image = None if problem else self.find(ref)
        if image is None:
            raise ImageMissing(
                f"{ref} could not be pulled: {problem or 'it is not there'}",
                hint="steroids images build --bootstrap",
            )
        return image

    def _pull(self, ref: str, progress: Progress) -> str:
        """What went wrong, empty when nothing did. Silence counts as 'no registry there'."""
        repository, tag = parse_repository_tag(ref)
        registry, _ = auth.resolve_repository_name(repository)
        credentials = auth.get_config_header(self._client, registry)
        try:
            response = call(
                self._client,
                "POST",
                "/images/create",
                params={"fromImage": repository, "tag": tag or "latest"},
                headers={"X-Registry-Auth": credentials} if credentials else None,
                stream=True,
                timeout_s=_PULL_SILENCE_S,
            )
        except APIError as error:
            if is_no_answer(error):
                raise
            return says(error)
        except ReadTimeout:
            return f"no registry answered within {_PULL_SILENCE_S:.0f} s"
        try:
            for event in _events(response):
                if "error" in event:
                    return str(event["error"]).strip()
                progress(" ".join(str(event[key]) for key in ("id", "status") if event.get(key)))
        except NoConnection as error:
            if error.args and isinstance(error.args[0], ReadTimeoutError):
                return f"the registry was silent for {_PULL_SILENCE_S:.0f} s"
            raise
        finally:
            response.close()
        return ""

    def remove(self, ref: str) -> None:
        with answers(self._engine, f"remove the image {ref}"):
            try:
                self._client.remove_image(ref)
            except NotFound:
                return

    def _made(self, ref: str) -> Image:
        image = self.find(ref)
        if image is None:
            raise EngineError(
                f"{self._engine.capitalize()} says that it made {ref}, and does not have it",
                hint=f"{self._engine} images",
            )
        return image


def _events(response: Any) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.strip():
            yield json.loads(line)


def _image(facts: Mapping[str, Any]) -> Image:
    """From an image's own page or from its row in the list."""
    labels = facts.get("Labels") or (facts.get("Config") or {}).get("Labels") or {}
    refs = (ref for ref in facts.get("RepoTags") or [] if ref != "<none>:<none>")
    return Image(
        id=_id(facts),
        refs=tuple(refs),
        size_bytes=int(facts["Size"]),
        created_at=_created_at(facts.get("Created")),
        # A commit can only blank the labels that it was to take away.
        labels={key: value for key, value in labels.items() if value},
        user=(facts.get("Config") or {}).get("User") or "",
    )


def _id(facts: Mapping[str, Any]) -> str:
    return "sha256:" + str(facts["Id"]).removeprefix("sha256:")


def _created_at(value: str | int | None) -> datetime:
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value) if value else datetime.fromtimestamp(0, UTC)
