"""The image that a dev container describes, which the runner image is then built on."""

import contextlib
import functools
import json
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.errors import BadConfig
from steroids.git.mirror import Mirror
from steroids.home import ensure_home
from steroids.provisioning.base_image import find_base, local_base
from steroids.provisioning.bootstrap import only_one
from steroids.provisioning.build_steps import BuildSteps
from steroids.provisioning.context import digest, open_folders, write_context
from steroids.provisioning.devcontainer import FOLDER, USUAL, Build, Devcontainer, find, read
from steroids.provisioning.devcontainer_context import tree_of, write_tree
from steroids.provisioning.devcontainer_features import Feature
from steroids.provisioning.retiring import LABEL

NAME = "localhost/steroids/devcontainer"
LABELS = {LABEL: "devcontainer"}
"""The same for all: an image that comes out the same again keeps its id, and what is built on it
is not built again."""
_READS_CONTEXT = re.compile(rb"^\s*(COPY|ADD|ONBUILD)\b|--mount=", re.IGNORECASE | re.MULTILINE)
OPTIONS = "devcontainer-features.env"

Progress = Callable[[str], None]


@functools.lru_cache(maxsize=64)
def at(mirror: Path, commit: str, name: str | None) -> Devcontainer:
    """The dev container of that commit. Raises `BadConfig`."""
    # Kept in memory: every start and every claim asks, mostly about the same commit.
    repository = Mirror(mirror)
    asked = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", FOLDER, USUAL[1])
    listed = repository.git("--literal-pathspecs", *asked).stdout.split(b"\0")
    paths = [path.decode("utf-8", "replace") for path in listed if path]
    return read(find(paths, name), lambda path: repository.read_file(commit, path))


@dataclass(frozen=True)
class Maker:
    """Makes images of what is in the repository at a commit."""

    engine: Engine
    mirror: Mirror
    commit: str
    proxies: Mapping[str, str]
    progress: Progress
    rebuild: bool = False

    def image_of(self, container: Devcontainer) -> str:
        """Its name, which the engine has when this returns, or which is to be pulled.

        Raises `BadConfig`, and `EngineError` when a build fails (`details["tail"]`).
        """
        cache = ensure_home() / "cache"
        cache.mkdir(exist_ok=True)
        with only_one(cache / f"devcontainer-{self.engine.name}.lock"):
            ref = container.image or ""
            if container.build is not None:
                ref = self._built(container.path, container.build)
            if container.features or container.path_variable:
                ref = self._with_features(container, ref, cache)
        return ref

    def _built(self, path: str, build: Build) -> str:
        recipe = self.mirror.read_file(self.commit, build.dockerfile)
        if recipe is None:
            raise BadConfig(f"{path}: there is no file {build.dockerfile}")
        tree = tree_of(self.mirror, self.commit, build.context)
        if tree is None:
            raise BadConfig(f"{path}: there is no folder {build.context or '.'}")
        # Without it the image is the same, whatever lands in the repository.
        needed = _READS_CONTEXT.search(recipe) is not None
        words = (build.target, json.dumps(dict(build.args), sort_keys=True), tree if needed else "")
        ref = f"{NAME}:{digest({'Dockerfile': recipe}, *words)}"
        if self._is_there(ref):
            return ref
        with _scratch() as folder:
            if needed:
                write_tree(self.mirror, tree, folder)
            # Beside what is there: its own name may be another file of this folder.
            own = folder / f".{ref.rpartition(':')[2]}.Dockerfile"
            own.write_bytes(recipe)
            self._build(folder, ref, build.args, own.name, build.target)
        return ref

    def _with_features(self, container: Devcontainer, on: str, cache: Path) -> str:
        base = local_base(self.engine, on) or find_base(self.engine, on, cache, self.progress)
        found = (tree_of(self.mirror, self.commit, each.path) for each in container.features)
        trees = [tree or "" for tree in found]
        recipe = features_recipe(container, on, base.image).encode()
        ref = f"{NAME}:{digest({'Dockerfile': recipe}, base.image.id, *trees)}"
        if self._is_there(ref):
            return ref
        with _scratch() as folder:
            write_context({"Dockerfile": recipe}, folder)
            for number, (each, tree) in enumerate(zip(container.features, trees, strict=True)):
                write_context({f"options/{number}/{OPTIONS}": _options(each)}, folder)
                feature = folder / f"features/{number}"
                open_folders(feature / "any", folder)
                write_tree(self.mirror, tree, feature)
            self._build(folder, ref, {})
        return ref

    def _is_there(self, ref: str) -> bool:
        return not self.rebuild and self.engine.images.find(ref) is not None

    def _build(
        self,
        folder: Path,
        ref: str,
        args: Mapping[str, str],
        dockerfile: str = "Dockerfile",
        target: str = "",
    ) -> None:
        log = ensure_home() / "logs" / f"devcontainer-{ref.rpartition(':')[2]}.log"
        with BuildSteps(log, self.progress) as steps:
            self.engine.images.build(
                folder,
                ref,
                args={**args, **self.proxies},
                labels=LABELS,
                progress=steps.line,
                dockerfile=dockerfile,
                target=target,
            )


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="steroids-devcontainer-") as scratch:
        folder = Path(scratch) / "context"
        open_folders(folder / "any", Path(scratch))
        yield folder


def features_recipe(container: Devcontainer, on: str, base: Image) -> str:
    """The Dockerfile that installs the features, each in a layer, and sets the path."""
    user = container.user or base.user.partition(":")[0] or "root"
    lines = [f"FROM {on}", "USER root"]
    for number, each in enumerate(container.features):
        place = f"/opt/steroids-features/{number}"
        # As in the specification: before it is installed, so that it may use them.
        lines += [f"ENV {name}={_quoted(value)}" for name, value in each.env.items()]
        lines += [
            f"COPY features/{number}/ {place}/",
            f"COPY options/{number}/ {place}/",
            f"RUN cd {place} && chmod +x install.sh && set -a && "
            f". ./{OPTIONS} && export {_users(user)} && ./install.sh",
        ]
    if container.path_variable:
        path = container.path_variable.replace("${containerEnv:PATH}", "${PATH}")
        lines.append(f"ENV PATH={_quoted(path)}")
    lines.append(f"USER {base.user or 'root'}")
    return "\n".join([*lines, ""])


def _users(user: str) -> str:
    """Who will work in it, and where that one is at home."""
    name = shlex.quote(user)
    home = f'"$(getent passwd {name} | cut -d: -f6)"'
    return (
        f"_REMOTE_USER={name} _CONTAINER_USER={name} "
        f"_REMOTE_USER_HOME={home} _CONTAINER_USER_HOME={home}"
    )


def _options(feature: Feature) -> bytes:
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in feature.options.items())
    return "".join(lines).encode()


def _quoted(value: str) -> str:
    """For ENV, which fills in `${...}` and knows no line breaks."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
