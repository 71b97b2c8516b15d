"""Finding an engine, with real sockets: ones that answer, ones that do not, ones of the other."""

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from steroids.engines import discover
from steroids.engines.discover import find_all, find_engine
from steroids.engines.podman_service import ensure_podman_service
from steroids.errors import BadConfig, EngineUnavailable, NoEngine
from tests.support.engines import Lab


@pytest.fixture
def dead_socket(tmp_path: Path) -> Iterator[Path]:
    """A socket file that nothing listens behind, as an engine that was killed leaves it."""
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    yield path


def address(lab: Lab) -> str:
    return lab.engine.capabilities().address


def test_an_engine_is_found_by_its_name(real_lab: Lab) -> None:
    with contextlib.closing(find_engine(real_lab.engine.name, os.environ)) as engine:
        assert engine.capabilities().name == real_lab.engine.name


def test_an_engine_is_found_by_its_address(real_lab: Lab) -> None:
    with contextlib.closing(find_engine(address(real_lab), {})) as engine:
        assert engine.name == real_lab.engine.name


def test_docker_host_goes_before_all_and_is_known_by_what_answers(real_lab: Lab) -> None:
    with contextlib.closing(find_engine("auto", {"DOCKER_HOST": address(real_lab)})) as engine:
        assert engine.name == real_lab.engine.name
        assert engine.capabilities().address == address(real_lab)


def test_the_other_engine_behind_docker_host_is_not_taken(
    real_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"docker": "podman", "podman": "docker"}[real_lab.engine.name]
    environ = {"DOCKER_HOST": address(real_lab), "PATH": ""}
    monkeypatch.setattr(discover, "_socket", _nowhere)

    with pytest.raises(NoEngine, match=f"that is {real_lab.engine.name.capitalize()}"):
        find_engine(other, environ)


def _nowhere(path: Path, kind: str, environ: object) -> object:
    return discover._address("unix:///nowhere", kind, {})


def test_a_docker_that_does_not_answer_does_not_hide_podman(
    real_lab: Lab, dead_socket: Path, tmp_path: Path
) -> None:
    (tmp_path / "docker.sock").symlink_to(dead_socket)
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman/podman.sock").symlink_to(address(real_lab).removeprefix("unix://"))

    founds = {found.place: found for found in find_all({"XDG_RUNTIME_DIR": str(tmp_path)})}

    assert founds[f"unix://{tmp_path / 'docker.sock'}"].problem == "connection refused"
    assert any(found.engine for found in founds.values())
    for found in founds.values():
        if found.engine:
            found.engine.close()


def test_when_nothing_answers_it_says_what_was_tried(
    dead_socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discover, "_socket", _nowhere)

    with pytest.raises(NoEngine) as caught:
        find_engine("auto", {"PATH": str(tmp_path)})

    assert "unix:///nowhere: no such file" in caught.value.message
    assert "the podman program: not installed" in caught.value.message
    assert caught.value.hint and "apt-get install" in caught.value.hint
    assert caught.value.exit_code == 5


def test_a_docker_host_that_does_not_answer_is_an_error_and_not_passed_over(
    dead_socket: Path,
) -> None:
    with pytest.raises(NoEngine, match="connection refused") as caught:
        find_engine("auto", {"DOCKER_HOST": f"unix://{dead_socket}"})

    assert len(caught.value.details["tried"]) == 1


@pytest.mark.parametrize("where", ["unix:///no/such.sock", "tcp://127.0.0.1:9", "nonsense://x"])
def test_an_address_where_nothing_is_has_its_reason(where: str) -> None:
    with pytest.raises(NoEngine, match=where):
        find_engine(where, {})


def test_local_is_found_by_its_name_and_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEROIDS_HOME", str(tmp_path / "home"))
    named = find_engine("local", {})

    assert (named.name, named.address) == ("local", f"local:{tmp_path / 'home'}")
    again = find_engine(named.address, {})
    assert again.capabilities() == named.capabilities()
    with pytest.raises(NoEngine, match="not there"):
        find_engine(f"local:{tmp_path / 'elsewhere'}", {})
    assert not (tmp_path / "elsewhere").exists()


def test_local_is_never_found_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "_socket", _nowhere)
    monkeypatch.setenv("STEROIDS_HOME", str(tmp_path / "home"))
    find_engine("local", {})

    with pytest.raises(NoEngine) as caught:
        find_engine("auto", {"PATH": str(tmp_path)})
    assert [found for found in find_all({}) if found.engine] == []
    assert caught.value.hint and "--engine local" in caught.value.hint


def test_an_unknown_word_is_bad_configuration() -> None:
    with pytest.raises(BadConfig, match=r"dokcer.*local"):
        find_engine("dokcer", {})


@pytest.mark.podman
def test_podman_without_a_service_gets_one_that_is_used_again(tmp_path: Path) -> None:
    program = shutil.which("podman")
    if program is None:
        pytest.skip("no podman program")

    with contextlib.closing(ensure_podman_service(program, tmp_path, os.environ)) as first:
        pids = _services(tmp_path)
        try:
            assert first.name == "podman"
            with contextlib.closing(ensure_podman_service(program, tmp_path, os.environ)) as again:
                assert again.capabilities() == first.capabilities()
            assert len(pids) == 1
            assert _services(tmp_path) == pids
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)


@pytest.mark.podman
def test_the_own_service_is_started_again_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = shutil.which("podman")
    if program is None:
        pytest.skip("no podman program")
    monkeypatch.setenv("STEROIDS_HOME", str(tmp_path))
    ensure_podman_service(program, tmp_path, os.environ).close()
    for pid in _services(tmp_path):
        os.kill(pid, signal.SIGKILL)
    address = f"unix://{tmp_path / 'podman.sock'}"
    try:
        with contextlib.closing(find_engine(address, os.environ)) as again:
            assert (again.name, again.address) == ("podman", address)
    finally:
        for pid in _services(tmp_path):
            os.kill(pid, signal.SIGKILL)


def _services(folder: Path) -> list[int]:
    address = f"unix://{folder / 'podman.sock'}"
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if address in (process.info["cmdline"] or ())
    ]


def test_a_podman_that_cannot_start_its_service_says_why(tmp_path: Path) -> None:
    program = tmp_path / "podman"
    program.write_text("#!/bin/sh\necho 'no subuids for you' >&2\nexit 125\n")
    program.chmod(0o755)

    with pytest.raises(EngineUnavailable, match="no subuids for you") as caught:
        ensure_podman_service(str(program), tmp_path, os.environ)

    assert caught.value.hint == f"cat {tmp_path / 'podman.log'}"
