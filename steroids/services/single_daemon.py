"""Whether this is a container, and that there is one controller: what `init` sets, `doctor` says.

The keeping itself is `containment.single`.
"""

import os
import time
from pathlib import Path

from steroids.containment import facts, pid_file
from steroids.containment.command_line import Kind
from steroids.containment.daemon import find_all_daemon_processes
from steroids.containment.setting import KEY, ensure_setting
from steroids.containment.single import STARTING_S
from steroids.services.host import Host, OpenProject
from steroids.wire.daemon import Finding


def set_up(host: Host, project: Path) -> tuple[list[str], list[str]]:
    """Leave a word on the setting in the user's own file, unless there is one: what was written,
    and notes for the user. Never fails: a project is one without it too."""
    path = host.path / "config.yaml"
    inside = facts.is_container_environment(project)
    try:
        if not ensure_setting(path, inside):
            return [], []
    except OSError as error:
        return [], [f"{path} could not be written ({error.strerror}): {KEY} is not in it"]
    if not inside:
        return [str(path)], []
    found = facts.container_indicators(project)[0]
    return [str(path)], [f"this is a container ({found}), so {KEY} is on in {path}"]


def examine(host: Host, project: OpenProject | None) -> list[Finding]:
    root = project.path if project else None
    return [Finding(name="container", ok=True, detail=facts.words(root)), _controller(host)]


def _controller(host: Host) -> Finding:
    name, hint = "controller", "steroids daemon restart"
    young = time.time() - STARTING_S
    others = [
        each.pid
        for each in find_all_daemon_processes(host.path)
        # One that is starting finds this one by itself, and leaves.
        if each.kind is Kind.CONTROLLER and each.pid != os.getpid() and each.created < young
    ]
    if others:
        pids = ", ".join(map(str, others))
        detail = f"others serve {host.path} besides: pid {pids}"
        return Finding(name=name, ok=False, detail=detail, hint=f"kill {pids.replace(',', '')}")
    record = pid_file.read(host.path / "controller.pid")
    if record is not None and record.pid != os.getpid():
        detail = f"controller.pid names {record.pid}, and this one is {os.getpid()}"
        return Finding(name=name, ok=False, detail=detail, hint=hint)
    enforced = host.settings(None).enforce_single_daemon_process
    return Finding(name=name, ok=True, detail=f"pid {os.getpid()}, {_rule(enforced)}")


def _rule(enforced: bool) -> str:
    if not enforced:
        return f"the only one; {KEY} is off"
    if facts.has_evidence():
        return f"the only one; {KEY}: the next one ends it"
    return f"the only one; {KEY}: outside of a container nothing is ended"
