"""The runner image, built for real on both engines."""

import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from steroids import proc
from steroids.engines.images import Image
from steroids.engines.spec import Handle
from steroids.errors import EngineError, ImageMissing
from steroids.provisioning import base_image, context
from steroids.provisioning.base_image import find_base
from steroids.provisioning.images import (
    LABEL,
    LATEST,
    RUNNER,
    ImageSettings,
    ensure_runner_image,
    name_also,
    present_runner_image,
)
from tests.support.engines import Lab, real_lab

__all__ = ["real_lab"]

AGENT = "agent"
# The whole environment of an agent that was given none.
CLEAN = ("env", "-i", "HOME=/home/agent", "PATH=/usr/local/bin:/usr/bin:/bin")


@dataclass
class Box:
    """A container of the runner image that waits for commands."""

    lab: Lab
    image: Image
    handle: Handle

    def sh(self, script: str, *, user: str = AGENT, clean: bool = False) -> tuple[int, str]:
        argv = (*(CLEAN if clean else ()), "sh", "-c", script)
        result = self.lab.engine.exec(self.handle, argv, user=user)
        return result.exit_code, result.output.decode().strip()


@pytest.fixture(scope="session")
def box(real_lab: Lab) -> Iterator[Box]:
    image = ensure_runner_image(real_lab.engine, ImageSettings(), progress=print)
    spec = real_lab.spec("exec sleep 600", image=image.id)
    yield Box(real_lab, image, real_lab.engine.start(spec))


def test_an_image_that_is_there_is_not_built_again(box: Box) -> None:
    lines: list[str] = []
    started = time.perf_counter()
    again = ensure_runner_image(box.lab.engine, ImageSettings(), progress=lines.append)
    took_s = time.perf_counter() - started
    assert (again.id, lines) == (box.image.id, [])
    # A build takes more than a second even when all is in the builder's cache.
    assert took_s < 1


def test_the_image_says_what_it_is(box: Box) -> None:
    assert box.image.labels[LABEL] == "runner"
    assert f"{RUNNER}:{box.image.labels[f'{LABEL}.key']}" in box.image.refs


def test_a_further_name_is_the_same_image(box: Box) -> None:
    images = box.lab.engine.images
    further = box.lab.ref()
    try:
        name_also(box.lab.engine, box.image.refs[0], further)
        named = images.find(further)
        assert named is not None
        assert named.id == box.image.id
    finally:
        images.remove(further)


def test_the_agent_owns_the_workspace_and_nothing_of_steroids(box: Box) -> None:
    assert box.sh("id -u; id -g; pwd; touch /workspace/x && rm /workspace/x") == (
        0,
        "1000\n1000\n/workspace",
    )
    for forbidden in ("touch /opt/steroids/lib/x", "ls /var/lib/steroids", "touch /run/steroids/x"):
        assert box.sh(forbidden)[0] != 0, forbidden
    code, owners = box.sh("find /opt/steroids /usr/local/bin ! -user root -o -perm /022 ! -type l")
    assert (code, owners) == (0, "")


def test_git_takes_a_repository_of_another_user(box: Box) -> None:
    assert box.sh("git init -q /workspace/owned")[0] == 0
    assert box.sh("git -C /workspace/owned status --short", user="root") == (0, "")


def test_what_people_expect_at_hand_is_there(box: Box) -> None:
    tools = "git node npm npx python3 pip curl jq rg make gcc g++ psql sqlite3 ps tini"
    code, output = box.sh(f"for t in {tools}; do command -v $t >/dev/null || echo $t; done")
    assert (code, output) == (0, "")


def test_a_native_program_can_be_compiled(box: Box) -> None:
    script = "cd /tmp && echo 'int main(){return 7;}' > a.c && cc a.c -o a.out && ./a.out"
    assert box.sh(script)[0] == 7


@pytest.fixture(scope="session")
def registry() -> str:
    """One that this machine reaches, so that what a container does not reach is a failure."""
    url = proc.run(("npm", "config", "get", "registry"), timeout_s=120).out
    if not proc.run(("curl", "-sk", "--retry", "3", "-o", "/dev/null", url), timeout_s=120).ok:
        pytest.skip("there is no network")
    return url


@pytest.mark.parametrize("clean", [False, True], ids=["variables", "files"])
@pytest.mark.parametrize(
    "reach",
    [
        "npm view left-pad version --cache /tmp/npm",
        "python3 -m venv /tmp/v && /tmp/v/bin/pip download -q --no-deps -d /tmp/d idna",
        "curl -fsS {}left-pad -o /dev/null",
        "node -e 'fetch(\"{}left-pad\").then(r => process.exit(+!r.ok))'",
        "! git ls-remote {}none 2>&1 | grep -i certificate",
    ],
    ids=["npm", "pip", "curl", "node", "git"],
)
def test_the_agent_reaches_the_registries(box: Box, registry: str, reach: str, clean: bool) -> None:
    reach = reach.replace("{}", registry)
    for _ in range(3):  # registries have their moments
        code, output = box.sh(f"timeout 120 sh -c {shlex.quote(reach)}", clean=clean)
        if code == 0:
            break
    assert code == 0, output


def test_the_runner_s_code_is_there_whole_and_compiled(box: Box) -> None:
    program = (
        "import sys; sys.path += ['/opt/steroids/lib', '/usr/lib/python3/dist-packages']; "
        "import steroids.runner.__main__ as runner; "
        "heavy = {'site', 'docker', 'pydantic', 'sqlmodel'} & set(sys.modules); "
        "print(runner.__cached__, sorted(heavy))"
    )
    script = f'python3 -IS -c "{program}"'
    code, output = box.sh(script)
    assert code == 0, output
    assert output.endswith(".pyc []")
    missing = "cd /opt/steroids/lib && find . -name '*.py' | wc -l; find . -name '*.pyc' | wc -l"
    sources, compiled = box.sh(missing)[1].split()
    assert sources == compiled


def test_the_image_s_own_command_is_the_runner_under_an_init(box: Box) -> None:
    handle = box.lab.engine.start(box.lab.spec(image=box.image.id, command=()))
    # Without a token it says so and ends: it was the runner that ran.
    assert box.lab.ended(handle) != 0
    assert b"/var/lib/steroids/token" in box.lab.output(handle)


def test_a_changed_byte_or_base_makes_another_key() -> None:
    files = context.runner_context(None)
    assert context.digest(files, "base") == context.digest(
        dict(reversed(list(files.items()))), "base"
    )
    assert context.digest(files, "base") != context.digest(files, "other")
    changed = {**files, "ca/host.pem": b"x"}
    assert context.digest(files, "base") != context.digest(changed, "base")


def test_what_an_image_is_built_from_is_open_to_any_user_whatever_the_umask(tmp_path: Path) -> None:
    # The controller's own.
    before = os.umask(0o077)
    try:
        context.write_context({"Dockerfile": b"", "a/b/start.sh": b""}, tmp_path)
    finally:
        os.umask(before)
    modes = {str(p.relative_to(tmp_path)): p.stat().st_mode & 0o777 for p in tmp_path.rglob("*")}
    assert modes == {"Dockerfile": 0o644, "a": 0o755, "a/b": 0o755, "a/b/start.sh": 0o644}


def test_a_named_base_that_is_nowhere_is_an_error_with_a_way_out(
    real_lab: Lab, tmp_path: Path
) -> None:
    settings = ImageSettings(base="localhost/steroids/test-nowhere:1")
    with pytest.raises(ImageMissing, match="test-nowhere") as caught:
        ensure_runner_image(real_lab.engine, settings, progress=print)
    assert caught.value.exit_code == 5
    assert caught.value.hint


def test_without_base_registry_and_tool_it_says_what_to_install(
    real_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_image, "MADE", "localhost/steroids/test-nowhere:1")
    monkeypatch.setattr(base_image, "PUBLIC", "localhost/steroids/test-nowhere:2")
    monkeypatch.setattr(base_image, "bootstrapper", lambda: None)
    with pytest.raises(EngineError, match="neither mmdebstrap nor debootstrap") as caught:
        find_base(real_lab.engine, None, tmp_path, print)
    assert caught.value.exit_code == 5
    assert "mmdebstrap" in (caught.value.hint or "")


@dataclass(frozen=True)
class Shape:
    """The users of somebody's own image, and who of them is the agent."""

    made: str
    user: str
    home: str
    keeps: str
    """A file that belongs to the agent then."""


SHAPES = {
    "usual": Shape(
        "useradd -u 1000 -ms /bin/sh vscode; touch /home/vscode/x; chown vscode /home/vscode/x",
        *("vscode", "/home/vscode", "/home/vscode/x"),
    ),
    "not named": Shape(
        "useradd -u 1000 -m ubuntu; touch /opt/x; chown ubuntu /opt/x",
        *("", "/home/ubuntu", "/opt/x"),
    ),
    "one of two": Shape(
        "useradd -u 1000 -m node; useradd -u 1001 -m dev; touch /opt/x; chown dev:dev /opt/x",
        *("dev", "/home/dev", "/opt/x"),
    ),
    "a service": Shape(
        "useradd -rg users -d /opt/app app; mkdir /opt/app; chown app /opt/app",
        *("app:users", "/opt/app", "/opt/app"),
    ),
    "a number": Shape("true", "4711", "/home/agent", "/home/agent"),
    "root": Shape("useradd -u 1000 -m pi", "root", "/home/pi", "/home/pi"),
    "the name taken": Shape(
        "groupadd -g 1000 devs; useradd -u 1500 -m agent; useradd -u 1600 -g devs -m coder",
        *("coder", "/home/coder", "/home/coder"),
    ),
    "at home nowhere": Shape(
        "useradd -u 1000 -d /nonexistent x", "x", "/home/agent", "/home/agent"
    ),
}
# What builders' containers have of what runners have not.
BUILDS = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETUID", "SETGID")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_agent_is_whom_an_image_is_made_for(real_lab: Lab, shape: Shape) -> None:
    image = ensure_runner_image(real_lab.engine, ImageSettings(), progress=print)
    spec = real_lab.spec("sleep 60", image=image.id, capabilities=BUILDS)
    handle = real_lab.engine.start(spec)

    def sh(script: str, user: str = "root") -> list[str]:
        done = real_lab.engine.exec(handle, ("sh", "-ec", script), user=user)
        assert done.exit_code == 0, done.output
        return done.output.decode().splitlines()

    sh(f"userdel -r agent 2>/dev/null; {shape.made}")
    sh(f"AGENT_USER={shape.user} sh /opt/steroids/setup/user.sh")
    said = sh(f"id -un; id -gn; id -u; id -g; cd; pwd; stat -c %u {shape.keeps}", AGENT)
    assert said == ["agent", "agent", "1000", "1000", shape.home, "1000"]
    assert sh("touch ~/x && echo writes", AGENT) == ["writes"]
    # Nothing belongs to nobody, and doing it again changes nothing.
    assert sh("find / -xdev -path /proc -prune -o \\( -nouser -o -nogroup \\) -print") == []
    sh("AGENT_USER=agent sh /opt/steroids/setup/user.sh")
    assert sh("id -u agent; getent passwd agent | cut -d: -f6") == ["1000", shape.home]
    real_lab.engine.remove(handle)


def test_a_user_that_is_not_there_is_named(real_lab: Lab) -> None:
    image = ensure_runner_image(real_lab.engine, ImageSettings(), progress=print)
    handle = real_lab.engine.start(real_lab.spec("sleep 60", image=image.id))
    script = "AGENT_USER=nobody-there sh /opt/steroids/setup/user.sh"
    done = real_lab.engine.exec(handle, ("sh", "-c", script), user="root")
    assert done.exit_code == 1
    assert b"steroids: the image has no user 'nobody-there'" in done.output


def own_image(lab: Lab, folder: Path, recipe: str) -> str:
    """One with what people usually have, and this; its user 1000 is gone."""
    usual = ensure_runner_image(lab.engine, ImageSettings(), progress=print)
    steps = (f"FROM {usual.refs[0]}", "USER root", "RUN userdel --remove agent", recipe, "")
    (folder / "Dockerfile").write_text("\n".join(steps))
    ref = lab.ref()
    lab.engine.images.build(folder, ref, args={}, labels=lab.labels, progress=print)
    return ref


OWN = """RUN useradd --uid 1000 --create-home vscode
ENV PATH=/opt/own/bin:/usr/local/bin:/usr/bin:/bin JAVA_HOME=/opt/java SECRET=geheim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENTRYPOINT ["/bin/false"]
WORKDIR /home/vscode
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=1s CMD touch /tmp/health
USER vscode"""


def test_what_a_user_s_own_image_does_by_itself_is_not_done(real_lab: Lab, tmp_path: Path) -> None:
    ref = own_image(real_lab, tmp_path, OWN)
    image = ensure_runner_image(real_lab.engine, ImageSettings(from_image=ref), progress=print)
    assert LATEST not in image.refs
    handle = real_lab.engine.start(real_lab.spec("sleep 60", image=image.id))
    script = "id -un; pwd; cd; pwd; echo $PATH; touch /workspace/x && echo writes"
    said = real_lab.engine.exec(handle, ("sh", "-c", script), user=AGENT).output.decode()
    path = "/opt/own/bin:/usr/local/bin:/usr/bin:/bin"
    assert said.split() == ["agent", "/workspace", "/home/vscode", path, "writes"]
    facts = real_lab.engine.images._client.inspect_image(image.id)["Config"]  # type: ignore[attr-defined]
    assert (facts.get("Healthcheck") or {}).get("Test") in (None, ["NONE"])
    assert facts["Entrypoint"] == ["/usr/bin/tini", "--"]


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        ("VOLUME /workspace", "has VOLUME /workspace"),
        ("ONBUILD COPY package.json /app/", "package.json"),
    ],
    ids=["volume", "onbuild"],
)
def test_a_user_s_own_image_that_cannot_serve_says_why(
    real_lab: Lab, tmp_path: Path, recipe: str, why: str
) -> None:
    settings = ImageSettings(from_image=own_image(real_lab, tmp_path, recipe))
    with pytest.raises(EngineError, match=why) as caught:
        ensure_runner_image(real_lab.engine, settings, progress=print)
    assert Path((caught.value.hint or "").removeprefix("less ")).is_file()


def test_further_packages_are_a_layer_on_top_and_one_that_is_not_there_is_named(
    real_lab: Lab, registry: str
) -> None:
    engine = real_lab.engine
    usual = ensure_runner_image(engine, ImageSettings(), progress=print)
    settings = ImageSettings(packages=("rename", "no-such-thing"))
    # Also makes what both have in common, in case that the usual one has been rebuilt since.
    lines: list[str] = []
    with pytest.raises(EngineError, match=r"has no package: no-such-thing$"):
        ensure_runner_image(engine, settings, progress=lines.append)
    # Asked of a build that fails: one that succeeds may be in the engine's cache, and says nothing.
    assert any("further packages: " in line for line in lines)
    lines.clear()
    more = ImageSettings(packages=("rename",))
    left = present_runner_image(engine, more)
    for ref in left.refs if left else ():
        # By a test that was cut off.
        engine.images.remove(ref)
    image = ensure_runner_image(engine, more, progress=lines.append)
    assert ensure_runner_image(engine, ImageSettings(), progress=print).id == usual.id
    # All that is large is there once: it was not installed again.
    assert not any("Setting up tini" in line for line in lines)
    handle = engine.start(real_lab.spec("sleep 60", image=image.id))
    assert engine.exec(handle, ("rename", "--version"), user=AGENT).exit_code == 0
    engine.remove(handle)
    for ref in image.refs:
        if ref != LATEST:
            engine.images.remove(ref)
    name_also(engine, usual.refs[0], LATEST)
