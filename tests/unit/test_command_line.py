"""Which command lines are daemons of ours; a wrong yes may end somebody else's process."""

import shlex

import pytest

from steroids.containment.command_line import Kind, kind, project

CONTROLLERS = [
    "python -m steroids daemon run",
    "/usr/bin/python3.11 -m steroids daemon run",
    "/opt/venv/bin/python3 -I -X dev -Wignore -m steroids daemon run",
    "python -Im steroids daemon run",
    "python -msteroids daemon run",
    "python --check-hash-based-pycs always -m steroids daemon run",
    "/opt/venv/bin/python /opt/venv/bin/steroids daemon run",
    "steroids daemon run",
    "steroids --project daemon -v daemon run",
    "steroids daemon --json run",
]
LOOPS = {
    "steroids loop --project /p": "/p",
    "python -m steroids loop --project=/p --once": "/p",
    "python -m steroids --project /p loop --section daemon": "/p",
    "python -m steroids --project /q loop --project /p": "/p",
    "python /usr/local/bin/steroids loop": None,
}
OTHERS = [
    "",
    "less steroids daemon run",
    "grep steroids daemon run",
    "uv run steroids daemon run",
    "sh -c 'python -m steroids daemon run'",
    "python other.py -m steroids daemon run",
    "python -c 'pass' -m steroids daemon run",
    "python other.py daemon run",
    "python steroids.py daemon run",
    "python -m other daemon run",
    "python -m other steroids daemon run",
    "python -m steroids_extra daemon run",
    "python -m steroids.runner daemon run",
    "python -m steroids daemon start",
    "python -m steroids daemon",
    "python -m steroids tasks add daemon run",
    "python -m steroids run daemon",
    "python -m steroids loops",
    "python -m steroids --project loop up",
    "python -m",
    "python -X",
    "python",
    "mysteroids daemon run",
    "pythonista -m steroids daemon run",
    "vim python -m steroids daemon run",
]


@pytest.mark.parametrize("line", CONTROLLERS)
def test_controllers(line: str) -> None:
    assert kind(shlex.split(line)) is Kind.CONTROLLER


@pytest.mark.parametrize("line", LOOPS)
def test_loops(line: str) -> None:
    assert kind(shlex.split(line)) is Kind.LOOP
    assert project(shlex.split(line)) == LOOPS[line]


@pytest.mark.parametrize("line", OTHERS)
def test_others(line: str) -> None:
    assert kind(shlex.split(line)) is None
