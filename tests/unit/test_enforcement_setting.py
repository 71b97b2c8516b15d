"""What `init` leaves in the user's own settings."""

from pathlib import Path

import pytest

from steroids.containment.setting import KEY, ensure_setting
from steroids.settings import resolve


def enforced(path: Path) -> bool:
    return resolve(path, None).settings.enforce_single_daemon_process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


@pytest.mark.parametrize("inside", [True, False])
def test_a_new_file_says_it_once(path: Path, inside: bool) -> None:
    assert ensure_setting(path, inside)
    assert enforced(path) is inside
    assert KEY in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    once = path.read_text()
    assert not ensure_setting(path, True)
    assert path.read_text() == once


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    "old",
    [
        "# mine\nengine: docker   # at home\n\nrunners:\n    max_parallel:   3\n",
        "engine: docker",
        "",
        "# only a comment\n",
        "---\nengine: docker\n",
    ],
)
def test_what_is_there_stays_letter_by_letter(path: Path, old: str, inside: bool) -> None:
    path.write_text(old)
    path.chmod(0o640)
    before = resolve(path, None).settings
    assert ensure_setting(path, inside)
    assert path.read_text().startswith(old)
    assert resolve(path, None).settings == before.model_copy(update={KEY: inside})
    assert path.stat().st_mode & 0o777 == 0o640


def test_settings_that_are_not_lines_are_written_anew_where_it_matters(path: Path) -> None:
    path.write_text('{"engine": "docker"}')
    assert not ensure_setting(path, False)
    assert path.read_text() == '{"engine": "docker"}'
    assert ensure_setting(path, True)
    assert enforced(path)
    assert resolve(path, None).settings.engine == "docker"


@pytest.mark.parametrize(
    "old",
    [
        f"{KEY}: false\n",
        f"# {KEY}: true\n",
        "- a\n- list\n",
        "engine: [docker\n",
        "engine: docker\n...\nmore\n",
        "just words",
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_a_word_on_it_or_what_is_not_understood_is_left_alone(
    path: Path, old: str, inside: bool
) -> None:
    path.write_text(old)
    assert not ensure_setting(path, inside)
    assert path.read_text() == old


def test_a_link_goes_on_leading_to_the_file(path: Path) -> None:
    mine = path.with_name("dotfiles.yaml")
    mine.write_text("engine: docker\n")
    path.symlink_to(mine)
    assert ensure_setting(path, True)
    assert path.is_symlink()
    assert enforced(mine)
    assert {each.name for each in path.parent.iterdir()} == {"config.yaml", "dotfiles.yaml"}


def test_what_is_no_text_is_left_alone(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    assert not ensure_setting(path, True)
    assert path.read_bytes() == b"\xff\xfe"
