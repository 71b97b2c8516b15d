"""The command line without a controller: help, usage errors, what is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from steroids.cli.app import COMMANDS, SUMMARIES, run

HEAVY = ("sqlmodel", "sqlalchemy", "docker", "fastapi", "pydantic", "rich", "alembic", "tenacity")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEROIDS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STEROIDS_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("flags", [["--version"], ["--help"], ["ps", "--help"]])
def test_nothing_heavy_is_imported_for(flags: list[str]) -> None:
    code = (
        "import sys; from steroids.cli.app import run; run(sys.argv[1:]);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *flags], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


def test_ps_is_answered_at_a_glance_and_like_the_command() -> None:
    code = (
        "import sys\nfrom steroids.__main__ import main\ntry: main()\nexcept SystemExit as e:"
        f" print(e.code, [n for n in {(*HEAVY, 'click', 'msgspec')!r} if n in sys.modules])"
    )
    argv = [sys.executable, "-c", code]
    quick = subprocess.run([*argv, "ps"], capture_output=True, text=True)
    whole = subprocess.run([*argv, "-v", "ps"], capture_output=True, text=True)
    assert quick.stdout.strip() == "3 []"
    assert whole.stdout.startswith("3 ['click'")
    assert quick.stderr == whole.stderr and "Not a Steroids project" in quick.stderr


def test_every_command_has_help_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(COMMANDS) == set(SUMMARIES)
    for command in COMMANDS:
        assert run([command, "--help"]) == 0
        assert "Usage: steroids" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["pss"], "There is no command 'pss'"),
        (["tasks", "add"], "Missing argument 'TITLE'"),
        (["tasks", "list", "--status", "sleeping"], "'sleeping' is not one of"),
        (["sections", "add", "A", "--path", "a", "--priority", "200"], "is no priority"),
        (["up", "--nonsense"], "No such option"),
    ],
)
def test_bad_usage_exits_2_with_a_hint(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    err = capsys.readouterr().err
    assert message in err and "hint: steroids" in err


@pytest.mark.parametrize(
    "argv", [["ps"], ["up"], ["tasks", "list"], ["--project", "/nowhere", "ps"]]
)
def test_outside_of_a_project_exits_3(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 3
    err = capsys.readouterr().err
    assert "Not a Steroids project" in err and "steroids init" in err


def test_global_flags_work_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--json", "ps"], ["ps", "--json"]):
        assert run(argv) == 3
        assert json.loads(capsys.readouterr().out)["code"] == "NOT_A_PROJECT"


def test_status_without_a_controller_starts_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["daemon", "status"]) == 1
    assert "not running" in capsys.readouterr().err
    assert run(["daemon", "stop"]) == 0
    assert not (tmp_path / "home" / "controller.sock").exists()


def test_a_bug_is_one_line_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*args: object, **settings: object) -> None:
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr("steroids.cli.context.find_project", broken)
    assert run(["ps"]) == 70
    log = tmp_path / "home" / "logs" / "cli.log"
    assert str(log) in capsys.readouterr().err
    assert "for the test" in log.read_text()
