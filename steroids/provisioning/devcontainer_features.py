"""Features of a dev container that are part of the repository. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steroids.provisioning.devcontainer_json import parse
from steroids.provisioning.devcontainer_words import Words

FILE, INSTALL = "devcontainer-feature.json", "install.sh"
_LEFT_OUT = ("mounts", "privileged", "capAdd", "securityOpt", "entrypoint")


@dataclass(frozen=True)
class Feature:
    key: str
    """As it is named: `./go`."""
    path: str
    """Its folder in the repository."""
    options: Mapping[str, str]
    """Variables of its `install.sh`."""
    env: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Others that are installed before it, where they are there at all."""
    left_out: tuple[str, ...] = ()
    set_up: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def commands(self, key: str) -> tuple[str, ...]:
        """What it has run at that point of the life cycle."""
        return self.set_up.get(key, ())


def read_feature(
    words: Words, key: str, given: Any, folder: str, files: Callable[[str], bytes | None]
) -> Feature:
    """The feature that devcontainer.json in `folder` names by `key`. Raises `BadConfig`."""
    if not key.startswith(("./", "../")):
        raise words.bad(
            f"the feature '{key}' comes from a registry, which is not asked",
            hint=f"copy its folder into {folder or '.devcontainer'} and name it './{_short(key)}'",
        )
    path = words.path(f"features.{key}", key, folder)
    facts = files(f"{path}/{FILE}")
    if facts is None or files(f"{path}/{INSTALL}") is None:
        raise words.bad(f"the feature '{key}' has no {path}/{FILE if facts is None else INSTALL}")
    tree = parse(f"{path}/{FILE}", facts)
    own = Words(f"{path}/{FILE}")
    depends = own.table(tree, "dependsOn")
    foreign = [each for each in depends if not each.startswith("./")]
    if foreign:
        raise own.bad(f"it depends on '{foreign[0]}', which comes from a registry")
    after = [each for each in tree.get("installsAfter") or () if isinstance(each, str)]
    life = ("onCreateCommand", "updateContentCommand", "postCreateCommand")
    feature = Feature(
        key=key,
        path=path,
        options=_options(own, tree, given),
        env=own.variables(tree, "containerEnv"),
        after=(*after, *depends),
        left_out=tuple(each for each in _LEFT_OUT if tree.get(each)),
        set_up={each: tuple(own.commands(tree, each)) for each in life},
    )
    for note in own.notes:
        words.note(f"{key}: {note}")
    return feature


def _options(own: Words, tree: Mapping[str, Any], given: Any) -> dict[str, str]:
    """A text alone is the option `version`."""
    chosen = given if isinstance(given, dict) else {"version": given} if given else {}
    if not isinstance(chosen, dict):
        raise own.bad("its options are to be a table")
    known = own.table(tree, "options")
    values = {
        name: each["default"]
        for name, each in known.items()
        if isinstance(each, dict) and "default" in each
    }
    found = {}
    for name, value in {**values, **chosen}.items():
        if not isinstance(value, str | bool | int):
            raise own.bad(f"the option '{name}' is to be a text or true or false")
        allowed = known[name].get("enum") if isinstance(known.get(name), dict) else None
        if allowed and value not in allowed:
            raise own.bad(f"the option '{name}' is one of {', '.join(map(str, allowed))}")
        found[variable(name)] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def variable(option: str) -> str:
    """The name of an option's variable, as the specification makes it."""
    return re.sub(r"^[\d_]+", "_", re.sub(r"[^\w]", "_", option, flags=re.ASCII)).upper()


def in_order(features: Sequence[Feature], first: Sequence[str]) -> list[Feature]:
    """`first` as the user ordered them, then each after those that it names, else as written."""
    ranks = {_short(key): rank for rank, key in enumerate(first)}
    waiting = sorted(features, key=lambda each: ranks.get(_short(each.key), len(ranks)))
    names = {_short(each.key) for each in features}
    done: list[Feature] = []
    while waiting:
        there = {_short(each.key) for each in done}
        ready = (
            each
            for each in waiting
            if _short(each.key) in ranks or {_short(other) for other in each.after} & names <= there
        )
        # In a ring somebody has to be the first.
        chosen = next(ready, waiting[0])
        waiting.remove(chosen)
        done.append(chosen)
    return done


def _short(key: str) -> str:
    """`go` of `./go` and of `ghcr.io/somebody/features/go:1`."""
    return key.rstrip("/").rpartition("/")[2].partition(":")[0]
