"""An image of a container, with exactly the labels and the command that were asked for."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import APIError
from docker.utils import parse_repository_tag

from steroids.engines.container_create import KEYS_LABEL, SPEC_LABEL
from steroids.engines.container_wire import SLOW_ANSWER_S, call
from steroids.engines.spec import Handle
from steroids.errors import EngineError

_UNSAFE = frozenset('"\\$\n')


def check_labels(labels: Mapping[str, str]) -> None:
    """Podman knows labels of a commit as Dockerfile text only, and reads quotes its own way."""
    for key, value in labels.items():
        if _UNSAFE & set(key + value):
            raise EngineError(
                f"The label {key} has a quote, backslash, dollar or newline in it: {value!r}",
                hint="name it with other characters",
            )


def commit(
    client: Any, handle: Handle, ref: str, *, labels: Mapping[str, str], command: Sequence[str]
) -> str:
    """Committed without a name first, named when it is whole: `ref` is never half-made."""
    check_labels(labels)
    config = client.inspect_container(handle.id)["Config"]
    # Neither engine can take a label away: an empty one matches no filter on its value.
    blank = dict.fromkeys([*(config.get("Labels") or {}), SPEC_LABEL, KEYS_LABEL], "")
    wanted = {**blank, **labels}
    if handle.engine == "podman":
        changes = [f'LABEL {key}="{value}"' for key, value in wanted.items()]
        changes.append(f"CMD {json.dumps(list(command))}")
        body: dict[str, Any] = {}
    else:
        changes = []
        body = {"Labels": wanted, "Cmd": list(command)}
    committed = call(
        client,
        "POST",
        "/commit",
        params={"container": handle.id, "changes": changes},
        json=body,
        timeout_s=SLOW_ANSWER_S,
    )
    image = committed.json()["Id"]
    image = image if image.startswith("sha256:") else f"sha256:{image}"
    repository, tag = parse_repository_tag(ref)
    try:
        client.tag(image, repository, tag or "latest", force=True)
    except APIError:
        client.remove_image(image, force=True)
        raise
    return str(image)
