"""What other users of the host must not read: the home, and the stores."""

import os
from pathlib import Path

import pytest

from steroids.engines.fake import FakeEngine
from steroids.errors import BadConfig
from steroids.home import ensure_home
from steroids.services import registry
from steroids.services.host import Host
from steroids.wire.project import Init
from tests.support.service import Bench


def opened(home: Path) -> Host:
    return Host(home, lambda name: FakeEngine(), lambda: None, lambda: None)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mine" / "steroids"
    monkeypatch.setenv("STEROIDS_HOME", str(path))
    return path


def test_the_home_is_closed_and_closed_again(home: Path) -> None:
    before = os.umask(0)
    try:
        assert mode(ensure_home()) == 0o700
    finally:
        os.umask(before)
    home.chmod(0o755)
    assert mode(ensure_home()) == 0o700


def test_a_home_of_somebody_else_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir(parents=True, mode=0o755)
    home.chmod(0o755)
    mine = os.geteuid()
    # Only root can give a folder away; so it is we who are somebody else.
    monkeypatch.setattr(os, "geteuid", lambda: mine + 4242)
    with pytest.raises(BadConfig, match=rf"{home} belongs to \S+, and you are uid") as caught:
        ensure_home()
    assert caught.value.exit_code == 3 and "STEROIDS_HOME=" in (caught.value.hint or "")
    assert mode(home) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_root_finds_in_a_home_of_somebody_else_stays(home: Path) -> None:
    home.mkdir(parents=True, mode=0o755)
    os.chown(home, 4242, 4242)
    with pytest.raises(BadConfig, match="belongs to uid 4242, and you are root"):
        ensure_home()


def test_a_home_that_is_a_file_is_refused(home: Path) -> None:
    home.parent.mkdir()
    home.write_text("")
    with pytest.raises(BadConfig, match="is not a folder"):
        ensure_home()


def test_stores_are_closed_again_when_they_are_opened(project: Bench, tmp_path: Path) -> None:
    root = project.repo.path
    store = root / ".steroids" / "steroids.db"
    assert (mode(store), mode(project.host.path / "steroids.db")) == (0o600, 0o600)
    project.host.close()
    other = tmp_path / "other-home"
    other.mkdir(mode=0o700)
    opened(other).close()
    store.chmod(0o664)
    (other / "steroids.db").chmod(0o644)
    host = opened(other)
    try:
        assert mode(other / "steroids.db") == 0o600
        registry.init(host, Init(path=str(root)))
        assert mode(store) == 0o600
    finally:
        host.close()
