"""What is read of a host: each file may be anything."""

import os
import shutil
from pathlib import Path

import pytest

from steroids import proc
from steroids.containment import facts
from steroids.containment.detect import MARKERS
from tests.support.engines import eventually


def test_text_of_whatever_lies_there(tmp_path: Path) -> None:
    path = tmp_path / "it"
    assert facts.text(str(path)) == ""
    path.mkdir()
    assert facts.text(str(path)) == ""
    path.rmdir()
    os.mkfifo(path)
    assert facts.text(str(path)) == ""
    path.unlink()
    path.write_bytes(b"\xff\0" * facts.MAX_BYTES)
    assert len(facts.text(str(path))) == facts.MAX_BYTES
    path.unlink()
    path.symlink_to("/dev/zero")
    assert facts.text(str(path)) == ""
    # Of the kernel's files some open and then refuse to be read.
    assert facts.text("/proc/self/mem") == ""


def test_variables() -> None:
    assert facts.variables("A=1\0B=2=3\0nothing\0=x\0") == {"A": "1", "B": "2=3", "": "x"}
    assert facts.variables("") == {}


@pytest.mark.skipif(not shutil.which("systemd-detect-virt"), reason="no systemd to ask")
def test_this_host_is_what_systemd_says_of_it() -> None:
    # Exit 0 in a container. A virtual machine that was made of a container's image says so too.
    says = proc.run(["systemd-detect-virt", "--container"], timeout_s=10)
    assert facts.has_evidence() == (says.ok and says.out != "wsl"), facts.container_indicators()


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="no Linux")
def test_this_host_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IS_SANDBOX", "1")
    found = facts.read("/workspace/shop")
    assert found.files == {path for path in MARKERS if Path(path).exists()}
    # The list of mounts changes while containers come and go.
    eventually(lambda: facts.read().mountinfo == Path("/proc/self/mountinfo").read_text())
    assert found.init_cgroup == Path("/proc/1/cgroup").read_text()
    assert (found.uid, found.project) == (os.getuid(), "/workspace/shop")
    assert "$IS_SANDBOX" in facts.container_indicators()
    assert facts.words("/workspace").startswith("yes (")
