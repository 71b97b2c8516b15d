"""What the local engine promises beyond the contract: nobody gets away, nothing is half-made."""

import contextlib
import os
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from steroids import proc
from steroids.engines.local import LocalEngine
from steroids.engines.local_builtin import REF
from steroids.engines.local_container import RUN, Container
from steroids.engines.local_folders import Folders, get, put
from steroids.engines.spec import NO_NETWORK, File, Handle, Mount, State, Status, VolumeMount
from steroids.errors import EngineError
from tests.support.engines import Lab, eventually


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A home of its own, so that a test may look into it. Its path is longer than a socket's."""
    home = tmp_path / ("home-" + "x" * 100)
    home.mkdir()
    lab = Lab(LocalEngine(home), REF)
    yield lab
    for each in lab.engine.list_owned({}):
        lab.engine.remove(each.handle)
    assert list(folders(lab).path.glob("half/*")) == []


def folders(lab: Lab) -> Folders:
    return Folders.of(Path(lab.engine.address.removeprefix("local:")))


def folder(lab: Lab, handle: Handle) -> Path:
    return folders(lab).containers / handle.id


def again(lab: Lab) -> LocalEngine:
    """As the next controller sees it."""
    return LocalEngine(Path(lab.engine.address.removeprefix("local:")))


def processes(handle: Handle) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("STEROIDS_CONTAINER") == handle.id:
                found.append(process)
    return found


def shim(lab: Lab, handle: Handle) -> psutil.Process:
    return psutil.Process(get(folder(lab, handle) / RUN)["shim"]["pid"])


def kill(process: psutil.Process) -> None:
    process.kill()
    eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def test_another_engine_on_the_same_home_finds_all_of_it(lab: Lab) -> None:
    spec = lab.spec("echo up; sleep 60")
    handle = lab.engine.start(spec)
    other = again(lab)

    assert other.inspect(handle) == State(Status.RUNNING)
    assert other.inspect(handle).pid == lab.engine.inspect(handle).pid
    assert other.start(spec) == handle
    assert next(other.logs(handle, follow=True)) == b"up\n"
    other.stop(handle, 0)
    assert lab.engine.inspect(handle).status is Status.EXITED


def test_many_starts_of_one_name_make_one_container(lab: Lab) -> None:
    spec = lab.spec()
    engines = [lab.engine, again(lab)] * 4
    with ThreadPoolExecutor(max_workers=8) as pool:
        handles = set(pool.map(lambda engine: engine.start(spec), engines))

    assert len(handles) == 1
    (handle,) = handles
    assert [each.handle for each in lab.engine.list_owned({})] == [handle]
    assert len([p for p in processes(handle) if p.name() == "sleep"]) == 1


def test_a_process_outlives_its_shim_and_has_then_ended_as_if_killed(lab: Lab) -> None:
    handle = lab.start("sleep 60; exit 3")
    pid = lab.engine.inspect(handle).pid
    assert pid is not None

    kill(shim(lab, handle))
    assert lab.engine.inspect(handle) == State(Status.RUNNING)
    kill(psutil.Process(pid))

    assert lab.engine.inspect(handle) == State(Status.EXITED, exit_code=137)
    lab.engine.remove(handle)
    assert processes(handle) == []


def test_stop_works_without_the_shim(lab: Lab) -> None:
    handle = lab.started_and_up("sleep 60 & trap '' TERM; echo up; sleep 60")
    kill(shim(lab, handle))

    lab.engine.stop(handle, 0.2)

    assert lab.engine.inspect(handle).status is Status.EXITED
    lab.engine.remove(handle)
    assert processes(handle) == []


def test_whoever_has_the_pid_now_is_left_alone(lab: Lab) -> None:
    handle = lab.start("exit 0")
    lab.ended(handle)
    other = proc.spawn(["sleep", "60"])
    try:
        # As after a reboot: no end was written down, and the pids are others' now.
        (folder(lab, handle) / "exit.json").unlink()
        life = {"pid": other.pid, "born": psutil.Process(other.pid).create_time() - 3600}
        put(folder(lab, handle) / RUN, {"main": life, "shim": life})

        assert lab.engine.inspect(handle) == State(Status.EXITED, exit_code=137)
        lab.engine.stop(handle, 0)
        lab.engine.remove(handle)
        assert other.poll() is None
    finally:
        proc.kill_group(other)


ESCAPE = "setsid sh -c 'echo $$ > $TMPDIR/pid; trap \"\" TERM; exec sleep 60' & "
UNTIL = "until [ -s $TMPDIR/pid ]; do sleep 0.01; done; "


def escaped(lab: Lab, handle: Handle) -> psutil.Process:
    file = folder(lab, handle) / "root/tmp/pid"
    return psutil.Process(int(eventually(lambda: file.exists() and file.read_text().strip())))


@pytest.mark.parametrize("environment", ["", "env -i TMPDIR=$TMPDIR "])
@pytest.mark.parametrize("how", ["stop", "remove"])
def test_what_leaves_its_session_ends_with_its_container(
    lab: Lab, how: str, environment: str
) -> None:
    handle = lab.started_and_up(f"{environment}{ESCAPE}{UNTIL}echo up; sleep 60")
    process = escaped(lab, handle)

    if how == "stop":
        lab.engine.stop(handle, 0)
    else:
        lab.engine.remove(handle)

    assert not process.is_running()
    # Its shim is the last to go.
    eventually(lambda: processes(handle) == [])


def test_what_is_left_of_one_that_ends_by_itself_ends_first(lab: Lab) -> None:
    handle = lab.start(f"{ESCAPE}{UNTIL}exit 4")
    process = escaped(lab, handle)

    assert lab.ended(handle) == 4
    assert not process.is_running()


def test_files_are_each_containers_own(lab: Lab) -> None:
    first = lab.start("echo mine > $STEROIDS_ROOT/workspace/file; exit 0")
    lab.ended(first)
    ref = lab.ref()
    lab.engine.commit(first, ref, labels={}, command=["sh", "-c", "cat file; echo 2 > file"])

    for _ in range(2):
        child = lab.start(image=ref, command=())
        assert lab.ended(child) == 0
        assert lab.output(child) == b"mine\n"
    fresh = lab.start("ls")
    assert lab.ended(fresh) == 0 and lab.output(fresh) == b""


def test_a_mounted_folder_is_the_hosts_and_comes_into_no_image(lab: Lab, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "note").write_text("from outside\n")
    mount = Mount(str(outside), "/run/steroids")
    handle = lab.start("cat $STEROIDS_ROOT/run/steroids/note", mounts=(mount,))
    assert lab.ended(handle) == 0
    assert lab.output(handle) == b"from outside\n"
    ref = lab.ref()

    lab.engine.commit(handle, ref, labels={}, command=["sh", "-c", "ls $STEROIDS_ROOT/run/*"])
    child = lab.start(image=ref, command=())
    lab.ended(child)
    lab.engine.remove(handle)

    assert b"note" not in lab.output(child)
    assert (outside / "note").exists()


def test_a_mount_of_what_is_not_there_is_refused(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="missing"):
        lab.start(mounts=(Mount(str(tmp_path / "missing"), "/mnt"),))

    assert lab.engine.list_owned({}) == []


def test_the_environment_is_the_specs_and_little_else(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "SSH_AUTH_SOCK", "STEROIDS_HOME", "PYTHONPATH"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("SSL_CERT_FILE", "/the/bundle.pem")
    handle = lab.start("env", env={"GIVEN": "1"}, files=(File("/etc/x", b"", 0o640),))
    assert lab.ended(handle) == 0

    told = dict(line.split("=", 1) for line in lab.output(handle).decode().splitlines())

    root = str(folder(lab, handle) / "root")
    assert (told["GIVEN"], told["SSL_CERT_FILE"]) == ("1", "/the/bundle.pem")
    assert told["HOME"] == f"{root}/home/agent" and told["STEROIDS_ROOT"] == root
    assert not [name for name, value in told.items() if value == "hush"]
    assert stat.S_IMODE((folder(lab, handle) / "root/etc/x").stat().st_mode) == 0o640


def test_what_a_dead_maker_left_is_swept_and_what_a_living_one_makes_is_not(lab: Lab) -> None:
    dead = folders(lab).path / "half" / "dead"
    (dead / "root/read-only").mkdir(parents=True)
    (dead / "root/read-only/file").touch()
    (dead / "root/read-only").chmod(0o500)
    with folders(lab).half_made() as living:
        again(lab)

        assert not dead.exists()
        assert living.exists()


def test_a_start_that_dies_before_its_process_is_finished_by_the_next(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(container: Container) -> None:
        raise KeyboardInterrupt

    spec = lab.spec()
    with monkeypatch.context() as patch:
        patch.setattr("steroids.engines.local.launch", die)
        with pytest.raises(KeyboardInterrupt):
            lab.engine.start(spec)
    (owned,) = lab.engine.list_owned({})
    assert owned.state == State(Status.CREATED)

    assert again(lab).start(spec) == owned.handle
    assert lab.engine.inspect(owned.handle).status is Status.RUNNING


def test_an_image_whose_name_moved_is_deleted(lab: Lab) -> None:
    handle, ref = lab.start(), lab.ref()
    first = lab.engine.commit(handle, ref, labels={}, command=["true"])
    second = lab.engine.commit(handle, ref, labels={}, command=["true"])

    assert lab.engine.images.find(first) is None
    assert {each.id for each in lab.engine.images.list({})} == {
        second,
        *(image.id for image in [lab.engine.images.find(REF)] if image),
    }


def test_images_are_built_in_and_not_built(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(EngineError, match="cannot build"):
        lab.engine.images.build(tmp_path, lab.ref(), args={}, labels={}, progress=print)
    with pytest.raises(EngineError, match="cannot load"):
        lab.engine.images.load_rootfs(tmp_path / "x.tar", lab.ref())
    with pytest.raises(EngineError, match="built in"):
        lab.engine.images.remove(REF)
    assert lab.engine.images.find(REF)


def test_it_says_that_it_does_not_isolate(lab: Lab) -> None:
    capabilities = lab.engine.capabilities()

    assert (capabilities.isolated, capabilities.builds_images) == (False, False)
    with pytest.raises(EngineError, match="networks"):
        lab.engine.networks.create("x", {})


def test_interrupts_reach_what_runs_inside(lab: Lab) -> None:
    # What a shell starts in the background ignores them, and so did all below a shim.
    handle = lab.started_and_up("trap 'exit 5' INT; echo up; sleep 60 & wait")
    pid = lab.engine.inspect(handle).pid
    assert pid is not None

    os.kill(pid, signal.SIGINT)

    assert lab.ended(handle) == 5


def test_ports_are_the_hosts_and_what_does_not_count_is_said_once(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    asked: dict[str, Any] = {"ports": (3000,), "network": NO_NETWORK, "memory_bytes": 1 << 30}
    handle = lab.start(**asked)

    assert lab.engine.inspect(handle).ports == {3000: 3000}
    assert lab.engine.capabilities().limits == frozenset()
    assert lab.engine.written(handle) is None
    lab.start(**asked)
    assert sorted(record.message for record in caplog.records) == [
        "the local engine holds nothing to network",
        "the local engine holds nothing to runners.memory",
    ]
    lab.engine.stop(handle, 0)
    assert lab.engine.inspect(handle).ports == {}


def test_volumes_are_refused_and_no_container_is_left(lab: Lab) -> None:
    with pytest.raises(EngineError, match="no volumes"):
        lab.start(volumes=(VolumeMount("x", "/mnt"),))

    assert lab.engine.list_owned({}) == []
