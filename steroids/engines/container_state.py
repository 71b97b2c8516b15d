"""From what the engines say about a container to `State`."""

from collections.abc import Mapping
from typing import Any

from steroids.engines.spec import State, Status

_STATUS = {
    "created": Status.CREATED,
    "configured": Status.CREATED,
    "initialized": Status.CREATED,
    "running": Status.RUNNING,
    "paused": Status.RUNNING,
    "restarting": Status.RUNNING,
    "stopping": Status.RUNNING,
}
"""Docker's and Podman's words; all others (`exited`, `stopped`, `removing`, `dead`) are ends."""


def state_of(inspected: Mapping[str, Any]) -> State:
    facts = inspected["State"]
    status = _STATUS.get(str(facts["Status"]).lower(), Status.EXITED)
    if status is Status.EXITED:
        return State(status, exit_code=int(facts["ExitCode"]))
    # 0 when there is none.
    return State(status, pid=int(facts.get("Pid") or 0) or None, ports=_ports(inspected))


def _ports(inspected: Mapping[str, Any]) -> dict[int, int]:
    bound = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    found = {}
    for inside, places in bound.items():
        number, _, protocol = inside.partition("/")
        if protocol == "tcp" and places:
            found[int(number)] = int(places[0]["HostPort"])
    return found
