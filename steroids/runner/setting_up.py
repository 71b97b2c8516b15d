"""Setting the workspace up: once for each key, whatever was there before."""

import contextlib
import os
from collections.abc import Callable, Mapping

from steroids.runner import caches
from steroids.runner.failures import CommandFailed
from steroids.runner.reaping import reap
from steroids.runner.workspace import Workspace
from steroids.wire.assignment import Checkout

MADE = ("node_modules/", ".venv/", "*.egg-info/", ".yarn/install-state.gz")
"""What set-ups make and nobody commits."""


def set_up(
    workspace: Workspace,
    checkout: Checkout,
    env: Mapping[str, str],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Run the set-up unless it has been run for the same key; returns `env` as agents and checks
    are to have it.

    Nothing runs as the agent afterwards, however it ended. Raises `CommandFailed`, `Broken`.
    """
    if workspace.needs_setup(checkout):
        workspace.was_set_up(None)
        # What an agent left running would write into what is set up now.
        reap(workspace.uid)
        if checkout.setup:
            _run(workspace, checkout, env, say)
        workspace.was_set_up(checkout.setup_key)
    return _activated(env, workspace, checkout.venv)


def _run(
    workspace: Workspace,
    checkout: Checkout,
    env: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    caches.restore(env, workspace.uid, say)
    for command in checkout.setup:
        shown = command.split("\n")[0] if command.startswith("#") else f"$ {command}"
        say(shown)
        try:
            workspace.shell(command, env, say, checkout.setup_timeout_s)
        except CommandFailed as error:
            name = shown.removeprefix("$ ").removeprefix("#").lstrip()
            raise CommandFailed(name, error.exit_code, error.tail) from None
        finally:
            reap(workspace.uid)
    # Where a repository does not say so itself, a commit of all that is new would have what was
    # made, and the next checkout would remove it.
    ignore = f"grep -qsxF {MADE[0]} info/exclude || {{ mkdir -p info; cat >>info/exclude; }}"
    workspace.in_git_dir(ignore, stdin="".join(f"{each}\n" for each in MADE).encode())


def _activated(env: Mapping[str, str], workspace: Workspace, venv: str) -> dict[str, str]:
    """As if the `activate` of the Python environment had been run, if there is one.

    Never for the runner's own commands: programs in the workspace go before the image's then.
    """
    folder = workspace.path / venv
    # An agent may have made it a folder that is not to be looked into.
    with contextlib.suppress(OSError):
        if (folder / "pyvenv.cfg").is_file():
            path = f"{folder}/bin:{env.get('PATH', os.defpath)}"
            return {**env, "VIRTUAL_ENV": str(folder), "PATH": path}
    return dict(env)
