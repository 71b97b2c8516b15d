"""What a devcontainer.json comes to. Files are a table; no image is built."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from steroids.errors import BadConfig
from steroids.provisioning.devcontainer import Build, Devcontainer, find, read
from steroids.provisioning.devcontainer_features import Feature, in_order, variable
from steroids.provisioning.devcontainer_json import parse

PATH = ".devcontainer/devcontainer.json"


def said(tree: Mapping[str, Any], **files: str) -> Devcontainer:
    """What the usual file with this in it comes to; `files` by names with `__` for `/`."""
    found = {name.replace("__", "/"): text.encode() for name, text in files.items()}
    found[PATH] = json.dumps({"image": "debian", **tree}).encode()
    return read(PATH, found.get)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('{"a": 1}', {"a": 1}),
        ('// all\n{"a": 1, // one\n "b": [2,],\n}', {"a": 1, "b": [2]}),
        ('{"a": /* "b": */ "x"}', {"a": "x"}),
        ('{"a": "// no comment, /* nor */ this,}"}', {"a": "// no comment, /* nor */ this,}"}),
        ('{"a": "\\"// b,]"}', {"a": '"// b,]'}),
        ('\ufeff{"a": {"b": {},},}', {"a": {"b": {}}}),
    ],
)
def test_json_as_people_write_it(text: str, tree: object) -> None:
    assert parse("f", text.encode()) == tree


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{\n/* one\ntwo */\n"a": nonsense}', r"^f:4: not JSON"),
        ("[1]", "^f:1: expected an object"),
        ("", "^f:1: not JSON"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_none_is_told_with_its_line(text: str, why: str) -> None:
    with pytest.raises(BadConfig, match=why):
        parse("f", text.encode())


@pytest.mark.parametrize(
    ("paths", "name", "found"),
    [
        ([PATH, ".devcontainer.json"], None, PATH),
        ([".devcontainer.json", ".devcontainer/a/devcontainer.json"], None, ".devcontainer.json"),
        ([".devcontainer/a/devcontainer.json"], None, ".devcontainer/a/devcontainer.json"),
        ([PATH, ".devcontainer/a/devcontainer.json"], "a", ".devcontainer/a/devcontainer.json"),
        ([".devcontainer/a/b/devcontainer.json", PATH], None, PATH),
    ],
)
def test_where_it_is_looked_for(paths: list[str], name: str | None, found: str) -> None:
    assert find(paths, name) == found


@pytest.mark.parametrize(
    ("paths", "name", "why", "hint"),
    [
        ([], None, "There is no .devcontainer/devcontainer.json", "config show"),
        (
            [".devcontainer/b/devcontainer.json", ".devcontainer/a/devcontainer.json"],
            None,
            "several dev containers: a, b",
            "image: devcontainer:a",
        ),
        ([".devcontainer/a/devcontainer.json"], "c", "no .devcontainer/c/", "devcontainer:a"),
    ],
)
def test_what_is_not_clear_is_told(paths: list[str], name: str | None, why: str, hint: str) -> None:
    with pytest.raises(BadConfig, match=why) as caught:
        find(paths, name)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("build", "made"),
    [
        (
            {"build": {"dockerfile": "Dockerfile", "args": {"A": 1, "B": True}, "target": "dev"}},
            Build(".devcontainer/Dockerfile", ".devcontainer", {"A": "1", "B": "true"}, "dev"),
        ),
        (
            {"build": {"dockerfile": "../dev/Dockerfile", "context": ".."}},
            Build("dev/Dockerfile", "", {}, ""),
        ),
        ({"dockerFile": "d", "context": ".."}, Build(".devcontainer/d", "", {}, "")),
    ],
)
def test_a_build_s_paths_are_the_repository_s(build: Mapping[str, Any], made: Build) -> None:
    container = said(build)
    assert (container.build, container.image) == (made, None)


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ({"build": {"dockerfile": "/etc/passwd"}}, "'build.dockerfile' leaves the repository"),
        ({"build": {"dockerfile": "../../d"}}, "'build.dockerfile' leaves the repository"),
        ({"build": {"dockerfile": "d", "context": "../.."}}, "'build.context' leaves"),
        ({"build": "d"}, "'build' has keys of its own"),
        ({"build": {"dockerfile": 1}}, "'dockerfile' is to be a text"),
        ({"image": None}, "neither 'image' nor"),
        ({"image": None, "dockerComposeFile": "c.yml"}, "Docker Compose services"),
        ({"remoteEnv": {"A": ["b"]}}, "'remoteEnv.A' is to be a text"),
        ({"postCreateCommand": 1}, "'postCreateCommand' is to be a command"),
        ({"features": {"ghcr.io/a/b/go:1": {}}}, "'ghcr.io/a/b/go:1' comes from a registry"),
        ({"features": {"https://a/b.tgz": {}}}, "comes from a registry"),
        ({"features": {"./go": {}}}, "'./go' has no .devcontainer/go/devcontainer-feature.json"),
        ({"features": {"./../../go": {}}}, "leaves the repository"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tree: Mapping[str, Any], why: str) -> None:
    with pytest.raises(BadConfig, match=why) as caught:
        said(tree)
    assert caught.value.message.startswith(PATH)


def test_a_registry_s_feature_is_refused_with_a_way_out() -> None:
    with pytest.raises(BadConfig) as caught:
        said({"features": {"ghcr.io/devcontainers/features/go:1": {}}})
    assert caught.value.hint == "copy its folder into .devcontainer and name it './go'"


def test_commands_become_the_set_up_in_their_order() -> None:
    container = said(
        {
            "postCreateCommand": {"web": "npm ci", "api": ["uv", "sync", "--group", "a b"]},
            "onCreateCommand": "make ${containerWorkspaceFolder}/x",
            "updateContentCommand": ["echo", "$HOME"],
            "initializeCommand": "rm -rf /",
        }
    )
    assert container.setup == (
        "make /workspace/x",
        "echo '$HOME'",
        "npm ci",
        "uv sync --group 'a b'",
    )
    assert container.notes == ("initializeCommand",)


def test_the_environment_is_never_this_host_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    container = said(
        {
            "containerEnv": {"A": "${localEnv:SECRET}", "B": "${localEnv:SECRET:plain}"},
            "remoteEnv": {
                "PATH": "${containerEnv:PATH}:/opt/bin",
                "C": "${containerEnv:HOME}/x",
                "D": "${localWorkspaceFolder}/d ${localWorkspaceFolderBasename}",
                "E": None,
                "F": 3,
            },
        }
    )
    assert container.env == {"A": "", "B": "plain", "D": "/d workspace", "F": "3"}
    assert container.path_variable == "${containerEnv:PATH}:/opt/bin"
    told = " ".join(container.notes)
    assert "SECRET is not read from this host's environment" in told
    assert "remoteEnv.C" in told and "remoteEnv.D" in told


def test_what_touches_the_host_is_left_out_and_named() -> None:
    left = {"mounts": ["x"], "runArgs": ["--privileged"], "privileged": True, "capAdd": ["ALL"]}
    left |= {"securityOpt": ["x"], "workspaceMount": "x", "forwardPorts": [1]}
    container = said({**left, "workspaceFolder": "/w", "customizations": {"a": 1}, "mounts": ["y"]})
    assert set(container.notes) == {*left, "workspaceFolder (it is /workspace)"}
    assert said({"privileged": False, "workspaceFolder": "/workspace/"}).notes == ()


@pytest.mark.parametrize(
    ("tree", "user", "notes"),
    [
        ({}, None, ()),
        ({"containerUser": "a"}, "a", ()),
        ({"containerUser": "a", "remoteUser": "b"}, "b", ()),
        ({"remoteUser": "root"}, "root", ("remoteUser: agents are never root",)),
    ],
)
def test_whom_agents_become(
    tree: Mapping[str, Any], user: str | None, notes: tuple[str, ...]
) -> None:
    assert (said(tree).user, said(tree).notes) == (user, notes)


def test_a_local_feature_has_options_environment_and_commands() -> None:
    facts = {
        "id": "go",
        "options": {
            "version": {"type": "string", "default": "1"},
            "go-lint": {"type": "boolean", "default": True},
        },
        "containerEnv": {"PATH": "/opt/go/bin:${PATH}", "GOPATH": "/go"},
        "capAdd": ["SYS_PTRACE"],
        "postCreateCommand": "go mod download",
    }
    container = said(
        {"features": {"./go": "2"}, "postCreateCommand": "make"},
        **{
            ".devcontainer__go__devcontainer-feature.json": json.dumps(facts),
            ".devcontainer__go__install.sh": "true",
        },
    )
    (feature,) = container.features
    assert (feature.path, feature.options) == (
        ".devcontainer/go",
        {"VERSION": "2", "GO_LINT": "true"},
    )
    # What refers to the image's own is in the image.
    assert container.env == {"GOPATH": "/go"}
    assert container.path_variable is None
    assert container.setup == ("go mod download", "make")
    assert container.notes == ("capAdd of ./go",)


@pytest.mark.parametrize(
    ("option", "name"), [("version", "VERSION"), ("a-b.c", "A_B_C"), ("0_9x", "_X"), ("ä", "_")]
)
def test_options_are_named_as_the_specification_says(option: str, name: str) -> None:
    assert variable(option) == name


@pytest.mark.parametrize(
    ("after", "first", "order"),
    [
        ({}, [], ["./a", "./b", "./c"]),
        ({"./a": ["./c"]}, [], ["./b", "./c", "./a"]),
        ({"./a": ["ghcr.io/x/y/c:1", "ghcr.io/x/y/z"]}, [], ["./b", "./c", "./a"]),
        ({}, ["./c"], ["./c", "./a", "./b"]),
        ({"./c": ["./a"]}, ["./c", "./b"], ["./c", "./b", "./a"]),
        ({"./a": ["./b"], "./b": ["./a"]}, [], ["./c", "./a", "./b"]),
    ],
)
def test_features_are_installed_after_those_that_they_name(
    after: Mapping[str, list[str]], first: list[str], order: list[str]
) -> None:
    features = [
        Feature(key, key, {}, after=tuple(after.get(key, ()))) for key in ("./a", "./b", "./c")
    ]
    assert [each.key for each in in_order(features, first)] == order
