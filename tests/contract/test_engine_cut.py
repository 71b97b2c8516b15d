"""The engine stops answering in mid-call, for real: nothing is forgotten, nothing made twice."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from steroids import proc
from steroids.engines.base import Engine
from steroids.engines.container_connect import connect
from steroids.engines.spec import File, State, Status
from steroids.errors import ContainerGone, EngineUnavailable
from tests.contract.cut_proxy import REQUEST, RESPONSE, CutProxy
from tests.support.engines import Lab, eventually, image_for_tests, open_engine


@pytest.fixture
def cuttable(real_lab: Lab, tmp_path: Path) -> Iterator[tuple[Lab, CutProxy]]:
    """The engine through a proxy of its own, and the proxy."""
    socket = real_lab.engine.capabilities().address.removeprefix("unix://")
    with CutProxy(tmp_path / "cut.sock", socket) as proxy:
        engine = connect(proxy.address, {})
        try:
            yield Lab(engine, real_lab.image), proxy
        finally:
            engine.close()


CREATE, START = r"POST .*/containers/create", r"POST .*/containers/\w+/start"
PUT, COMMIT, TAG = r"PUT .*/archive", r"POST .*/commit", r"POST .*/tag"


@pytest.mark.parametrize(
    ("request_line", "at"),
    [
        (CREATE, REQUEST),
        (CREATE, RESPONSE),
        (PUT, REQUEST),
        (PUT, RESPONSE),
        (START, REQUEST),
        (START, RESPONSE),
    ],
)
def test_a_start_that_was_cut_is_finished_by_the_next(
    cuttable: tuple[Lab, CutProxy], request_line: str, at: str
) -> None:
    lab, proxy = cuttable
    case = {"case": lab.name()}
    spec = lab.spec("cat /etc/x; sleep 60", labels=case, files=(File("/etc/x", b"whole\n"),))
    proxy.cut(request_line, at)

    with pytest.raises(EngineUnavailable) as caught:
        lab.engine.start(spec)
    handle = lab.engine.start(spec)

    assert proxy.cuts == 1
    assert caught.value.hint
    assert [each.handle for each in lab.engine.list_owned(case)] == [handle]
    assert next(lab.engine.logs(handle, follow=True)) == b"whole\n"


def test_an_engine_that_is_away_is_not_a_container_that_is_gone(
    cuttable: tuple[Lab, CutProxy], real_lab: Lab
) -> None:
    lab, proxy = cuttable
    handle = lab.start()
    proxy.down()

    for call in (
        lambda: lab.engine.inspect(handle),
        lambda: lab.engine.stop(handle, 1),
        lambda: lab.engine.remove(handle),
        lambda: lab.engine.exec(handle, ["true"]),
        lambda: lab.engine.logs(handle),
        lambda: lab.engine.commit(handle, lab.ref(), labels={}, command=["true"]),
        lambda: lab.engine.list_owned({}),
        lambda: lab.engine.start(lab.spec()),
        lambda: lab.engine.capabilities(),
        lambda: lab.engine.images.find(lab.image),
        lambda: lab.engine.images.list({}),
        lambda: lab.engine.images.remove(lab.ref()),
        lambda: lab.engine.images.pull(lab.ref(), progress=print),
    ):
        with pytest.raises(EngineUnavailable) as caught:
            call()
        assert not isinstance(caught.value, ContainerGone)

    assert real_lab.engine.inspect(handle) == State(Status.RUNNING)


def test_followed_logs_that_are_cut_do_not_look_finished(
    cuttable: tuple[Lab, CutProxy],
) -> None:
    lab, proxy = cuttable
    logs = lab.engine.logs(lab.started_and_up("echo up; sleep 60"), follow=True)
    assert next(logs) == b"up\n"
    threading.Timer(0.2, proxy.down).start()

    with pytest.raises(EngineUnavailable):
        next(logs)


def test_an_exec_that_is_cut_does_not_look_finished(cuttable: tuple[Lab, CutProxy]) -> None:
    lab, proxy = cuttable
    handle = lab.start()
    threading.Timer(0.4, proxy.down).start()

    with pytest.raises(EngineUnavailable):
        lab.engine.exec(handle, ["sleep", "20"])


@pytest.mark.parametrize(
    ("request_line", "at"), [(COMMIT, REQUEST), (COMMIT, RESPONSE), (TAG, REQUEST)]
)
def test_a_commit_that_is_cut_names_no_image(
    cuttable: tuple[Lab, CutProxy], request_line: str, at: str
) -> None:
    lab, proxy = cuttable
    handle, ref = lab.start(), lab.ref()
    proxy.cut(request_line, at)

    with pytest.raises(EngineUnavailable):
        lab.engine.commit(handle, ref, labels=lab.labels, command=["true"])

    assert lab.engine.images.find(ref) is None
    image_id = lab.engine.commit(handle, ref, labels=lab.labels, command=["true"])
    found = lab.engine.images.find(ref)
    assert found and found.id == image_id


def test_a_build_that_is_cut_does_not_look_finished(
    cuttable: tuple[Lab, CutProxy], tmp_path: Path
) -> None:
    lab, proxy = cuttable
    (tmp_path / "Dockerfile").write_text(f"FROM {lab.image}\nRUN echo begun && sleep 2\n")

    def cut_when_begun(line: str) -> None:
        if "begun" in line:
            proxy.down()

    with pytest.raises(EngineUnavailable):
        lab.engine.images.build(
            tmp_path, lab.ref(), args={}, labels=lab.labels, progress=cut_when_begun
        )


@pytest.mark.podman
def test_containers_outlive_a_podman_service_that_is_killed(tmp_path: Path) -> None:
    with contextlib.closing(open_engine("podman")) as steady:
        address = f"unix://{tmp_path / 'podman.sock'}"
        service = proc.spawn(["podman", "system", "service", "--time=0", address])
        try:
            engine = eventually(lambda: _connected(address))
            with contextlib.closing(engine):
                lab = Lab(engine, image_for_tests(engine, tmp_path))
                handle = lab.started_and_up("echo up; sleep 60")
                logs = engine.logs(handle, follow=True)
                assert next(logs) == b"up\n"
                threading.Timer(0.4, proc.kill_group, [service]).start()

                with pytest.raises(EngineUnavailable):
                    engine.exec(handle, ["sleep", "20"])
                with pytest.raises(EngineUnavailable):
                    next(logs)
                with pytest.raises(EngineUnavailable):
                    engine.inspect(handle)
        finally:
            proc.kill_group(service)

        assert steady.inspect(handle) == State(Status.RUNNING)
        steady.remove(handle)


def _connected(address: str) -> Engine | None:
    try:
        return connect(address, {})
    except EngineUnavailable:
        return None
