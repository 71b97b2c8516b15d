"""The test database of a project that uses SQLite: a file of the agent's, outside the workspace.

It is in the agent's home, so that neither `git add -A` takes it along nor a checkout removes it.
Everything here runs as the agent: the file is its own, and so is what migrates it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote

from steroids.runner.failures import CommandFailed
from steroids.runner.reaping import reap
from steroids.runner.workspace import Workspace
from steroids.wire.database import Sqlite

FOLDER = ".steroids/sqlite"
FILE = "test.sqlite3"
_MOMENT_S = 60.0
_KEEP = 3
"""Templates of other migrations, of those that were made last."""

Say = Callable[[str], None]


def fresh(
    workspace: Workspace, wanted: Sqlite | None, env: Mapping[str, str], say: Say
) -> dict[str, str]:
    """Put a fresh file in place, migrated and seeded; returns the variables by which it is found.

    For each key it is migrated once in a container, and copied after that. To be called when the
    workspace is set up and nothing of an agent runs; without `wanted` it is no file that the
    project wants. Raises `CommandFailed` when the project's command fails; the file is empty then.
    """
    if wanted is None:
        return {}
    folder = Path(workspace.env["HOME"]) / FOLDER
    live, template = folder / "live", folder / wanted.key
    found = variables(workspace)
    if wanted.migrate is None:
        _run(workspace, _empty(live), say)
    elif not (template / FILE).exists():
        _run(workspace, _empty(live), say)
        say(f"$ {wanted.migrate}")
        try:
            workspace.shell(wanted.migrate, {**env, **found}, say, wanted.timeout_s)
        except CommandFailed:
            reap(workspace.uid)
            _run(workspace, _empty(live), say)
            raise
        reap(workspace.uid)
        _run(workspace, _keep(folder, live, template), say)
    else:
        # Whole: what SQLite keeps beside the file belongs to it.
        _run(workspace, f"rm -rf {_q(live)} && cp -a {_q(template)} {_q(live)}", say)
    return found


def variables(workspace: Workspace) -> dict[str, str]:
    """Where it is; the same each time."""
    path = Path(workspace.env["HOME"]) / FOLDER / "live" / FILE
    # Three slashes, and the path's own.
    url = f"sqlite:///{path}"
    return {"DATABASE_URL": url, "TEST_DATABASE_URL": url, "SQLITE_PATH": str(path)}


def _empty(live: Path) -> str:
    return f"rm -rf {_q(live)} && mkdir -p {_q(live)} && : >{_q(live / FILE)}"


def _keep(folder: Path, live: Path, template: Path) -> str:
    """Named as the last step: what has a key is whole."""
    half = folder / "half"
    old = f"ls -1dt {_q(folder)}/*/ | grep -v /live/ | tail -n +{_KEEP} | xargs rm -rf"
    named = f"{_q(half)} {_q(template)}"
    return f"{old}; rm -rf {named} && cp -a {_q(live)} {_q(half)} && mv {named}"


def _q(path: Path) -> str:
    return quote(str(path))


def _run(workspace: Workspace, script: str, say: Say) -> None:
    workspace.shell(script, workspace.env, say, _MOMENT_S)
