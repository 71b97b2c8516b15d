"""A small host of its own with a real cron: a container in which Steroids is installed, and which
starts its runners beside itself, on the machine's Docker.

What is shared with them is at the same path inside and outside. The checkout is there to be read;
its dependencies are in the image, which is kept: to make it takes a minute.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker

from steroids.engines.base import Engine
from steroids.engines.spec import Owned
from steroids.provisioning.ca_bundle import VARIABLES, find_ca_bundle
from tests.support.engines import SESSION, TEST_LABEL
from tests.support.story_cli import CHECKOUT, Answer

IMAGE = "localhost/steroids/test-cron:latest"
RUNNER_IMAGE = "localhost/steroids/runner:latest"
LABEL = "io.steroids"
PYTHON = "/opt/venv/bin/python"
SOCKET = "/var/run/docker.sock"
# Without an audit system, which containers lack, this part of PAM keeps cron from starting jobs.
_DOCKERFILE = """\
ARG BASE
FROM ${BASE}
USER root
RUN apt-get update -q && apt-get install -y -q --no-install-recommends cron python3-venv && \\
    sed -i /pam_loginuid/d /etc/pam.d/cron
COPY packages.txt /opt/
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install -q -r /opt/packages.txt
"""
_KILL = """\
import os, signal, psutil
for each in psutil.process_iter(["cmdline"]):
    words = each.info["cmdline"] or []
    if "steroids" in words and words[words.index("steroids") - 1] == "-m":
        os.kill(each.pid, signal.SIGKILL)
        print(each.pid)
"""
_CONTROLLER = """\
import json, psutil
for each in psutil.process_iter(["cmdline"]):
    if (each.info["cmdline"] or [])[-2:] == ["daemon", "run"]:
        print(json.dumps({"cwd": each.cwd(), "env": each.environ()}))
"""


class CronHost:
    """Made by `cron_host`."""

    def __init__(self, container: Any, engine: Engine, root: Path) -> None:
        self._container = container
        self._engine = engine
        self.home = root / "home 100%"
        """With what a crontab needs escaped."""

    def steroids(self, *args: str, cwd: Path | None = None) -> Answer:
        """As a person types it at a shell; it has to go well."""
        answer = self.run(PYTHON, "-m", "steroids", *args, cwd=cwd)
        assert answer.code == 0, f"steroids {' '.join(args)}: {answer}\n{self.log()}"
        return answer

    def run(self, *argv: str, cwd: Path | None = None, stdin: str | None = None) -> Answer:
        """Any program, in the environment of a person."""
        words = (
            list(argv)
            if stdin is None
            else ["sh", "-c", f'printf %s "$1" | {argv[0]} -', "sh", stdin]
        )
        code, (out, err) = self._container.exec_run(
            words,
            workdir=str(cwd or "/"),
            environment={
                "STEROIDS_HOME": str(self.home),
                "PYTHONPATH": str(CHECKOUT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PERSON": "yes",
                "NO_COLOR": "1",
            },
            demux=True,
        )
        return Answer(code, (out or b"").decode(), (err or b"").decode())

    def kill_steroids(self) -> list[int]:
        """Each process of it on this host; runners live elsewhere."""
        return [int(pid) for pid in self.run(PYTHON, "-c", _KILL).out.split()]

    def controllers(self) -> list[dict[str, Any]]:
        """Folder and environment of each that lives."""
        return [json.loads(line) for line in self.run(PYTHON, "-c", _CONTROLLER).out.splitlines()]

    def runners(self) -> dict[str, list[Owned]]:
        """Containers of sections' runners, by their projects' ids. Asks no controller."""
        found: dict[str, list[Owned]] = {}
        for each in self._engine.list_owned(self.labels):
            if each.labels.get(f"{LABEL}.role") == "section":
                found.setdefault(each.labels[f"{LABEL}.project"], []).append(each)
        return found

    @property
    def labels(self) -> dict[str, str]:
        return {f"{LABEL}.controller": (self.home / "id").read_text().strip()}

    def wakeups(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """When each began, and what it did; from the store, without waking anybody."""
        store = sqlite3.connect(
            f"file:{str(self.home).replace('%', '%25')}/steroids.db?mode=ro", uri=True
        )
        with contextlib.closing(store):
            rows = store.execute("SELECT began_at, actions FROM wakeups ORDER BY id").fetchall()
        return [(began_at, json.loads(actions)) for began_at, actions in rows]

    def log(self) -> str:
        parts = []
        for name in ("cron.log", "controller.log"):
            path = self.home / "logs" / name
            lines = path.read_text(errors="replace").splitlines() if path.exists() else ["(none)"]
            parts += [f"--- {name}", *lines[-30:]]
        return "\n".join(parts)

    def end(self) -> None:
        """Cron first, or it brings back what is taken away."""
        self._container.remove(force=True)
        if not (self.home / "id").exists():
            return
        for each in self._engine.list_owned(self.labels):
            self._engine.remove(each.handle)
        for network in self._engine.networks.list_owned(self.labels):
            self._engine.networks.remove(network)
        for volume in self._engine.volumes.list_owned(self.labels):
            self._engine.volumes.remove(volume)
        for folder in (self.home / "projects").glob("*"):
            mine = {f"{LABEL}.image": "snapshot", f"{LABEL}.project": folder.name}
            for image in self._engine.images.list(mine):
                for ref in image.refs:
                    self._engine.images.remove(ref)


@contextlib.contextmanager
def cron_host(engine: Engine, root: Path) -> Iterator[CronHost]:
    """With `root` shared, and cron running; the engine has the runner image."""
    context = root / "image"
    context.mkdir()
    (context / "Dockerfile").write_text(_DOCKERFILE)
    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]
    (context / "packages.txt").write_text("\n".join(wanted))
    args = {"BASE": RUNNER_IMAGE}
    engine.images.build(context, IMAGE, args=args, labels={}, progress=print)
    client = docker.DockerClient(base_url=engine.capabilities().address)
    try:
        container = client.containers.run(
            IMAGE,
            ["cron", "-f"],
            detach=True,
            labels={TEST_LABEL: SESSION},
            # Its own would make another runner image of the same files.
            environment=dict.fromkeys(VARIABLES, ""),
            volumes={
                str(root): {"bind": str(root), "mode": "rw"},
                str(CHECKOUT): {"bind": str(CHECKOUT), "mode": "ro"},
                SOCKET: {"bind": SOCKET, "mode": "rw"},
            },
        )
        host = CronHost(container, engine, root)
        try:
            host.home.mkdir(mode=0o700)
            settings = {"engine": "docker"}
            if bundle := find_ca_bundle(os.environ, None):
                settings["ca_bundle"] = str(shutil.copy(bundle, root / "ca.pem"))
            (host.home / "config.yaml").write_text(json.dumps(settings))
            yield host
        finally:
            host.end()
    finally:
        client.close()
