"""A repository's dev container made a runner's image, from the mirror alone."""

import json
import os
from pathlib import Path

import pytest

from steroids.engines.fake import FakeEngine
from steroids.errors import BadConfig
from steroids.git.mirror import Mirror
from steroids.provisioning import devcontainer_image
from steroids.provisioning.devcontainer_context import tree_of, write_tree
from steroids.provisioning.devcontainer_image import Maker
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from steroids.provisioning.proxies import Proxies
from steroids.services import devcontainers, places, target
from steroids.services.events import since
from tests.support.engines import SESSION, TEST_LABEL, Lab, real_lab
from tests.support.repos import Repo, new_repo
from tests.support.service import Bench

__all__ = ["real_lab"]

USUAL = ".devcontainer/devcontainer.json"
DOCKERFILE = f"""FROM {{base}} AS dev
LABEL {TEST_LABEL}={SESSION}
ARG GREETING
RUN userdel agent && useradd --uid 1001 --create-home dev \\
    && echo "$GREETING" > /home/dev/greeting && chown dev: /home/dev/greeting
COPY tools/ /opt/tools/
USER dev
FROM dev AS broken
RUN false
"""
DEVCONTAINER = """{
  // As people write it.
  "build": {
    "dockerfile": "dev.Dockerfile", "context": "..", "target": "dev",
    "args": {"GREETING": "hello ${localEnv:HOME}there"},
  },
  "features": {"./tool": {"word": "it's"}},
  "remoteUser": "dev",
  "remoteEnv": {"PATH": "${containerEnv:PATH}:/opt/tools"},
  "runArgs": ["--privileged"],
}"""
FEATURE = {"id": "tool", "options": {"word": {"default": "?"}}, "containerEnv": {"TOOL": "yes"}}
INSTALL = '#!/bin/sh\necho "$WORD $TOOL $_REMOTE_USER $_REMOTE_USER_HOME" > /opt/word\n'


def mirrored(repo: Repo, path: Path) -> Mirror:
    mirror = Mirror.create(path)
    mirror.fetch(str(repo.path), "main")
    return mirror


def test_a_dev_container_becomes_a_runner_s_image(real_lab: Lab, tmp_path: Path) -> None:
    engine = real_lab.engine
    usual = ensure_runner_image(engine, ImageSettings(), progress=print)
    repo = new_repo(tmp_path / "repo")
    files = {
        USUAL: DEVCONTAINER,
        ".devcontainer/dev.Dockerfile": DOCKERFILE.format(base=usual.refs[0]),
        ".devcontainer/tool/devcontainer-feature.json": json.dumps(FEATURE),
        ".devcontainer/tool/install.sh": INSTALL,
        "tools/greet": "#!/bin/sh\necho greeted\n",
        "Dockerfile": "FROM nobody/takes-this\n",
        ".dockerignore": "*.log\nDockerfile\n",
    }
    commit = repo.commit("first", files)
    # What is not committed is nobody's business.
    (repo.path / ".devcontainer/dev.Dockerfile").write_text("FROM nobody/takes-this\n")
    mirror = mirrored(repo, tmp_path / "mirror.git")
    container = devcontainer_image.at(mirror.path, commit, None)
    lines: list[str] = []

    ref = Maker(engine, mirror, commit, {}, lines.append).image_of(container)
    settings = ImageSettings(from_image=ref, user=container.user)
    image = ensure_runner_image(engine, settings, progress=lines.append)

    assert any("a feature of the devcontainer" in line for line in lines)
    handle = engine.start(real_lab.spec("sleep 60", image=image.id))
    script = (
        "id -un; id -u; cd; pwd; cat greeting /opt/word; sh /opt/tools/greet; echo $PATH; "
        "touch ~/mine /workspace/mine && echo writes; stat -c %u greeting"
    )
    said = engine.exec(handle, ("sh", "-c", script), user="agent").output.decode().splitlines()
    path = said.pop(6)
    assert said == [
        *("agent", "1000", "/home/dev", "hello there", "it's yes dev /home/dev", "greeted"),
        *("writes", "1000"),
    ]
    assert path.endswith(":/opt/tools")

    # What lands elsewhere changes the context, and yet not the image that all is built on.
    (repo.path / ".devcontainer/dev.Dockerfile").write_text(files[".devcontainer/dev.Dockerfile"])
    later = repo.commit("later", {"elsewhere.log": "x"})
    mirror.fetch(str(repo.path), "main")
    again = Maker(engine, mirror, later, {}, print).image_of(
        devcontainer_image.at(mirror.path, later, None)
    )
    assert _id(real_lab, again) == _id(real_lab, ref)


def _id(lab: Lab, ref: str) -> str:
    found = lab.engine.images.find(ref)
    assert found is not None
    return found.id


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({USUAL: '{"build": {"dockerfile": "no"}}'}, "there is no file .devcontainer/no"),
        (
            {USUAL: '{"build": {"dockerfile": "d", "context": "no"}}', ".devcontainer/d": "FROM x"},
            "there is no folder .devcontainer/no",
        ),
    ],
)
def test_what_is_not_in_the_commit_is_told(files: dict[str, str], why: str, tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "repo")
    commit = repo.commit("first", files)
    mirror = mirrored(repo, tmp_path / "mirror.git")
    container = devcontainer_image.at(mirror.path, commit, None)
    bench_engine = FakeEngine()
    with pytest.raises(BadConfig, match=why):
        Maker(bench_engine, mirror, commit, {}, print).image_of(container)


def test_a_tree_is_written_as_it_is(tmp_path: Path) -> None:
    repo = new_repo(tmp_path / "repo")
    (repo.path / "sub").mkdir()
    (repo.path / "sub" / "link").symlink_to("/etc/passwd")
    (repo.path / "sub" / ".dockerignore").symlink_to("/etc/passwd")
    (repo.path / "sub" / "run").write_bytes(b"\0\n\xff")
    (repo.path / "sub" / "run").chmod(0o755)
    commit = repo.commit("first", {"sub/empty": "", "sub/a/b c": "deep\n", "out": "side"})
    mirror = mirrored(repo, tmp_path / "mirror.git")
    tree = tree_of(mirror, commit, "sub")
    assert tree is not None and tree_of(mirror, commit, "out") is None
    folder = tmp_path / "written"
    folder.mkdir()
    # The controller's own, which is to tell nobody in an image apart.
    before = os.umask(0o077)
    try:
        write_tree(mirror, tree, folder)
    finally:
        os.umask(before)
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in ("a", "a/b c", "run")}
    assert modes == {"a": 0o755, "a/b c": 0o644, "run": 0o755}
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    # A .dockerignore is read on the host: one that is a link is not there.
    assert found == ["a", "a/b c", "empty", "link", "run"]
    assert (folder / "run").read_bytes() == b"\0\n\xff"
    assert (folder / "link").readlink() == Path("/etc/passwd")


@pytest.mark.parametrize("shape", ["up", "git", "twice"])
def test_a_tree_that_was_made_to_harm_writes_nothing_outside(shape: str, tmp_path: Path) -> None:
    mirror = Mirror.create(tmp_path / "mirror.git")
    outside = tmp_path / "outside"
    outside.mkdir()

    def blob(content: bytes) -> bytes:
        done = mirror.git("hash-object", "-w", "--stdin", stdin=content)
        return bytes.fromhex(done.out)

    def tree(*entries: tuple[str, str, bytes]) -> str:
        raw = b"".join(f"{mode} {name}".encode() + b"\0" + found for mode, name, found in entries)
        asked = ("hash-object", "-t", "tree", "--literally", "-w", "--stdin")
        return mirror.git(*asked, stdin=raw).out

    evil = bytes.fromhex(tree(("100644", "evil", blob(b"x"))))
    if shape == "twice":
        made = tree(("120000", "a", blob(str(outside).encode())), ("40000", "a", evil))
    else:
        made = tree(("40000", ".." if shape == "up" else ".git", evil))
    folder = tmp_path / "written"
    folder.mkdir()
    with pytest.raises(BadConfig):
        write_tree(mirror, made, folder)
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def _land(bench: Bench, text: str) -> None:
    assert bench.origin is not None
    bench.repo.commit("devcontainer", {USUAL: text})
    bench.repo.git("push", "--quiet", "origin", "main")
    target.fetch(bench.project)


def test_settings_are_what_the_dev_container_says_below_what_the_user_says(
    project: Bench,
) -> None:
    (project.host.path / "config.yaml").write_text("image: devcontainer\nenv: {MINE: user}\n")
    text = '{"image": "a", "containerEnv": {"MINE": "no", "ITS": "yes"}, "onCreateCommand": "make"}'
    _land(project, text)
    settings = places.settings_for(project.host, project.project, None)
    assert settings.env == {"MINE": "user", "ITS": "yes"}
    assert settings.setup == ["make"]
    assert devcontainers.is_meant(settings.image)
    (project.host.path / "config.yaml").write_text("image: devcontainer\nsetup: [mine]\n")
    assert places.settings_for(project.host, project.project, None).setup == ["mine"]


def test_one_that_breaks_while_runners_work_keeps_none_from_working(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text("image: devcontainer\n")
    with pytest.raises(BadConfig, match="There is no"):
        places.settings_for(project.host, project.project, None)
    _land(project, '{"image": "a", "onCreateCommand": "make"}')
    good = places.settings_for(project.host, project.project, None)
    _land(project, '{"image": nonsense')
    assert places.settings_for(project.host, project.project, None) == good


def test_what_is_left_out_is_said_once(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text("image: devcontainer\n")
    _land(project, '{"image": "localhost/mine", "mounts": ["x"]}')
    image = places.settings_for(project.host, project.project, None).image
    assert image is not None
    for _ in range(2):
        found = devcontainers.image_of(
            project.host, project.project, project.engine, image, Proxies({}), print
        )
        assert found == ("localhost/mine", None)
    notices = [each.text for each in since(project.project, 0) if "left out" in each.text]
    assert notices == [f"{USUAL}: left out: mounts"]
