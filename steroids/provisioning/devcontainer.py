"""The repository's dev container as Steroids uses it: an image, an environment, a set-up.

After the specification at containers.dev. What touches the host, or takes from the container what
keeps it apart, is left out and said. Pure: files are asked for by a function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steroids.errors import BadConfig
from steroids.provisioning.devcontainer_features import Feature, in_order, read_feature
from steroids.provisioning.devcontainer_json import parse
from steroids.provisioning.devcontainer_words import WORKSPACE, Words

NAME = "devcontainer"
"""As `image:`, alone or with `:` and the name of one of several."""
FOLDER, FILE = ".devcontainer", "devcontainer.json"
USUAL = (f"{FOLDER}/{FILE}", f".{FILE}")
LEFT_OUT = (
    "initializeCommand",
    "mounts",
    "runArgs",
    "privileged",
    "capAdd",
    "securityOpt",
    "workspaceMount",
    "dockerComposeFile",
    "forwardPorts",
    "appPort",
    "postStartCommand",
    "postAttachCommand",
)
"""Keys that touch the host, loosen the container, or are for an editor."""
SET_UP = ("onCreateCommand", "updateContentCommand", "postCreateCommand")
"""In the order in which they are run."""

Read = Callable[[str], bytes | None]
"""The content of the file at a path of the repository; None: there is none."""


@dataclass(frozen=True)
class Build:
    """Paths are the repository's."""

    dockerfile: str
    context: str
    args: Mapping[str, str]
    target: str


@dataclass(frozen=True)
class Devcontainer:
    path: str
    image: str | None
    build: Build | None
    """This or `image` is there."""
    features: tuple[Feature, ...]
    """In the order of their installation."""
    path_variable: str | None
    """`PATH` with `${containerEnv:PATH}` in it."""
    env: Mapping[str, str]
    setup: tuple[str, ...]
    user: str | None
    notes: tuple[str, ...]
    """What of it is not done, for people."""


def find(paths: Sequence[str], name: str | None) -> str:
    """The devcontainer.json among a commit's paths. Raises `BadConfig` when it is not clear."""
    named = {
        path.split("/")[1]: path
        for path in sorted(paths)
        if path.startswith(f"{FOLDER}/") and path.endswith(f"/{FILE}") and path.count("/") == 2
    }
    if name is not None:
        if name in named:
            return named[name]
        raise BadConfig(
            f"There is no {FOLDER}/{name}/{FILE} on the target branch",
            hint=_choose(named) if named else f"git ls-files {FOLDER}",
        )
    for path in USUAL:
        if path in paths:
            return path
    if len(named) == 1:
        return next(iter(named.values()))
    if named:
        raise BadConfig(
            f"There are several dev containers: {', '.join(named)}", hint=_choose(named)
        )
    raise BadConfig(
        f"There is no {USUAL[0]} on the target branch, which `image: {NAME}` is about",
        hint="steroids config show   # image: leave it out, or name an image",
    )


def _choose(named: Mapping[str, str]) -> str:
    return f"image: {NAME}:{next(iter(named))}   # in config.yaml, or another one of them"


def read(path: str, files: Read) -> Devcontainer:
    """What the file at `path` says. Raises `BadConfig`, naming the file and the key."""
    tree = parse(path, files(path) or b"")
    words = Words(path)
    folder = path.rpartition("/")[0]
    build = _build(tree, words, folder)
    image = words.text(tree, "image")
    if image is None and build is None:
        raise _no_image(tree, words)
    features = in_order(
        [
            read_feature(words, key, options, folder, files)
            for key, options in words.table(tree, "features").items()
        ],
        tree.get("overrideFeatureInstallOrder") or (),
    )
    # What refers to others is in the image, where `PATH` is found.
    inherited = (pair for each in features for pair in each.env.items())
    env = {name: value for name, value in inherited if name != "PATH" and "$" not in value}
    env |= words.variables(tree, "containerEnv") | words.variables(tree, "remoteEnv")
    own_path = env.pop("PATH", None)
    for name in [name for name, value in env.items() if "${containerEnv:" in value]:
        words.note(f"remoteEnv.{name}: only PATH may refer to the container's own")
        del env[name]
    setup = [command for key in SET_UP for each in features for command in each.commands(key)]
    setup += [command for key in SET_UP for command in words.commands(tree, key)]
    return Devcontainer(
        path=path,
        image=None if build else words.filled("image", image or ""),
        build=build,
        features=tuple(features),
        path_variable=own_path,
        env=env,
        setup=tuple(setup),
        user=_user(tree, words),
        notes=(*_left_out(tree, features), *words.notes),
    )


def _build(tree: Mapping[str, Any], words: Words, folder: str) -> Build | None:
    """`build`, or its older spelling at the top."""
    below = words.table(tree, "build")
    dockerfile = words.text(below, "dockerfile") or words.text(tree, "dockerFile")
    if dockerfile is None:
        return None
    context = words.text(below, "context") or words.text(tree, "context") or "."
    return Build(
        dockerfile=words.path("build.dockerfile", dockerfile, folder),
        context=words.path("build.context", context, folder),
        args=words.variables(below, "args"),
        target=words.text(below, "target") or "",
    )


def _no_image(tree: Mapping[str, Any], words: Words) -> BadConfig:
    if tree.get("dockerComposeFile"):
        return words.bad(
            "it is made of Docker Compose services, which are not started for agents",
            hint=f"add {FOLDER}/agents/{FILE} with `image` or `build`; image: {NAME}:agents",
        )
    return words.bad("there is neither 'image' nor 'build.dockerfile'")


def _user(tree: Mapping[str, Any], words: Words) -> str | None:
    user = words.text(tree, "remoteUser") or words.text(tree, "containerUser")
    if user in ("root", "0"):
        words.note("remoteUser: agents are never root")
    return user


def _left_out(tree: Mapping[str, Any], features: Sequence[Feature]) -> list[str]:
    found = [key for key in LEFT_OUT if tree.get(key)]
    if str(tree.get("workspaceFolder") or WORKSPACE).rstrip("/") != WORKSPACE:
        found.append(f"workspaceFolder (it is {WORKSPACE})")
    return found + [f"{key} of {each.key}" for each in features for key in each.left_out]
