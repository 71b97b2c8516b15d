"""Limits that were asked for and do not hold: found from inside, kept, and told once."""

from collections.abc import Mapping, Sequence

from steroids.engines.spec import Capabilities
from steroids.errors import EngineUnavailable
from steroids.provisioning.limits import Asked, asked
from steroids.services.events import say
from steroids.services.host import Host
from steroids.services.launching import section_name
from steroids.store import home_models as home
from steroids.store import runners as rows
from steroids.wire.assignment import Limits
from steroids.wire.event import EventKind
from steroids.wire.runner import WORKERS
from steroids.wire.size import shown

_SLACK = 1.01
"""Kernels round to whole pages, and engines to whole periods."""


def take(host: Host, runner: home.Runner, found: Limits) -> None:
    """A runner says what holds inside it: keep what does not, and say so in one event.

    Idempotent; what runs once (a review, a set-up) is only noted.
    """
    project = host.project(runner.project_id)
    try:
        engine = host.engine(runner.engine_address).capabilities()
    except EngineUnavailable:
        # Nothing that its work has to wait for; `doctor` asks again.
        return
    sought = asked(host.settings(project).runners, engine)
    names = unkept(sought, found, engine)
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        news = row.unlimited != names
        row.unlimited = names
        session.add(row)
    if news and names and runner.role in WORKERS:
        name = section_name(project, runner)
        hint = remedy(names, engine)
        data = {"limits": names, "hint": hint}
        text = words(names, sought, engine)
        say(host, project, EventKind.NOTICE, text, section=name, runner_id=runner.id, data=data)


def unkept(wanted: Asked, found: Limits, engine: Capabilities) -> list[str]:
    """Names of the limits that were wanted and that do not hold."""
    pairs: dict[str, tuple[float | None, float | None]] = {
        "memory": (wanted.memory_bytes, found.memory_bytes),
        "cpus": (wanted.cpus, found.cpus),
        # That nobody is kept from anything is said elsewhere, of an engine that does not isolate.
        "pids": (wanted.pids if engine.isolated else None, found.pids),
    }
    names = [
        name
        for name, (want, have) in pairs.items()
        if want is not None and (have is None or have > want * _SLACK)
    ]
    if wanted.disk_bytes is not None and "disk" not in engine.limits:
        names.append("disk")
    return names


def missing(host: Host, address: str, wanted: Asked, engine: Capabilities) -> list[str]:
    """The same before there is a runner: what the engine itself says, and what the last runner
    there found that was asked for the same."""
    asked_for = values(wanted)
    told = set(asked_for) if engine.isolated else set(asked_for) - {"pids"}
    found = told - engine.limits
    with host.store.read() as session:
        last = rows.last_claimed(session, address)
    if last is not None:
        found |= set(last.unlimited) & set(asked_for)
    return [name for name in asked_for if name in found]


def values(wanted: Asked) -> dict[str, str]:
    """The limits that are wanted, as people write them."""
    found = {
        "memory": shown(wanted.memory_bytes) if wanted.memory_bytes is not None else None,
        "cpus": f"{wanted.cpus:g}" if wanted.cpus is not None else None,
        "pids": str(wanted.pids) if wanted.pids is not None else None,
        "disk": shown(wanted.disk_bytes) if wanted.disk_bytes is not None else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def listed(shown_values: Mapping[str, str]) -> str:
    """`memory (2g), cpus (1.5) and pids (1024)`."""
    each = [f"{name} ({value})" for name, value in shown_values.items()]
    return " and ".join(filter(None, [", ".join(each[:-1]), *each[-1:]]))


def words(names: Sequence[str], wanted: Asked, engine: Capabilities) -> str:
    """`Podman does not keep the limits of memory (2g) and pids (1024): ...`."""
    given = {name: value for name, value in values(wanted).items() if name in names}
    plural = "s" if len(given) > 1 else ""
    return (
        f"{engine.name.capitalize()} does not keep the limit{plural} of {listed(given)}: "
        f"{_why(names, engine)}"
    )


def _why(names: Sequence[str], engine: Capabilities) -> str:
    kernel = [name for name in names if name != "disk"]
    reasons = []
    if kernel and not engine.isolated:
        reasons.append("what it runs are processes of this host")
    elif kernel and engine.rootless and not engine.limits & {"memory", "cpus", "pids"}:
        reasons.append("it is rootless, and the host has control groups of version 1")
    elif kernel and engine.rootless and not engine.limits.issuperset(kernel):
        reasons.append("it is rootless, and the host hands it no control groups for that")
    elif kernel and not engine.limits.issuperset(kernel):
        reasons.append("the host's kernel has no control groups for that")
    elif kernel:
        reasons.append("it was told to, and inside they are not there")
    if "disk" in names:
        reasons.append("its storage has no quotas, so the size is looked at now and then instead")
    return "; ".join(reasons)


def remedy(names: Sequence[str], engine: Capabilities) -> str:
    """What to type to have them kept."""
    kernel = [name for name in names if name != "disk"]
    if not engine.isolated:
        return "steroids up --engine auto"
    if kernel and engine.rootless and not engine.limits & {"memory", "cpus", "pids"}:
        return (
            "boot with systemd.unified_cgroup_hierarchy=1, or use the engine of root "
            "(sudo systemctl start podman.socket)"
        )
    if kernel and engine.rootless:
        return "sudo systemctl edit user@.service   ([Service] Delegate=cpu cpuset io memory pids)"
    if kernel:
        return f"{engine.name} info   (Cgroup Version, WARNING)"
    return "storage on xfs with pquota, btrfs or zfs keeps it; or leave runners.disk out"
