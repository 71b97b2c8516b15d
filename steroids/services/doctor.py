"""What would keep Steroids from working here, each with the command that mends it."""

import os
import re
import shutil
import stat

from steroids import proc
from steroids.errors import SteroidsError
from steroids.provisioning.ca_bundle import find_ca_bundle
from steroids.provisioning.images import LATEST
from steroids.provisioning.limits import asked
from steroids.provisioning.proxies import NAMES, find_proxies
from steroids.services import database_doctor, limits, single_daemon, target
from steroids.services.host import Host, OpenProject
from steroids.wire.daemon import Finding

MIN_GIT = (2, 38)
MIN_FREE_BYTES = 5 * 1024**3


def examine(host: Host, project: OpenProject | None) -> list[Finding]:
    findings = [_git(), _home(host), _disk(host), _engine(host, project), _image(host, project)]
    findings.append(_limits(host, project))
    findings += [_ca_bundle(host), _proxy(host), *single_daemon.examine(host, project)]
    if project is not None:
        findings.append(_config(host, project))
        findings.append(_remote(project))
        findings += database_doctor.examine(host, project)
    return findings


def _git() -> Finding:
    try:
        version = proc.run(["git", "--version"], timeout_s=10).out.removeprefix("git version ")
    except FileNotFoundError:
        return Finding(name="git", ok=False, detail="not installed", hint="apt install git")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < MIN_GIT:
        need = ".".join(map(str, MIN_GIT))
        return Finding(
            name="git", ok=False, detail=f"{version}, {need} is needed", hint="apt install git"
        )
    return Finding(name="git", ok=True, detail=version)


def _home(host: Host) -> Finding:
    mode = stat.S_IMODE(host.path.stat().st_mode)
    ok = mode & 0o077 == 0
    return Finding(
        name="home",
        ok=ok,
        detail=f"{host.path}, mode {mode:o}",
        hint=None if ok else f"chmod 700 {host.path}",
    )


def _disk(host: Host) -> Finding:
    free = shutil.disk_usage(host.path).free
    return Finding(
        name="disk",
        ok=free >= MIN_FREE_BYTES,
        detail=f"{free / 1024**3:.0f} GB free",
        hint=None if free >= MIN_FREE_BYTES else "docker system prune",
    )


def _engine(host: Host, project: OpenProject | None) -> Finding:
    try:
        what = host.engine(host.settings(project).engine).capabilities()
    except SteroidsError as error:
        return Finding(name="engine", ok=False, detail=error.message, hint=error.hint)
    kind = (", rootless" if what.rootless else "") if what.isolated else ", not isolated"
    return Finding(
        name="engine", ok=True, detail=f"{what.name} {what.version}{kind}, {what.address}"
    )


def _image(host: Host, project: OpenProject | None) -> Finding:
    try:
        engine = host.engine(host.settings(project).engine)
        found = engine.images.find(LATEST)
        built_in = not engine.capabilities().builds_images
    except SteroidsError as error:
        return Finding(name="runner image", ok=False, detail=error.message, hint=error.hint)
    if found is None:
        hint = "steroids images build"
        return Finding(name="runner image", ok=False, detail="not built yet", hint=hint)
    detail = "built in" if built_in else f"{found.size_bytes / 1e6:.0f} MB"
    return Finding(name="runner image", ok=True, detail=detail)


def _limits(host: Host, project: OpenProject | None) -> Finding:
    """Of runners: by what the engine says of itself, and by what the last one found inside."""
    settings = host.settings(project)
    try:
        engine = host.engine(settings.engine)
        what = engine.capabilities()
    except SteroidsError:
        return Finding(name="limits", ok=False, detail="no engine to ask", hint="steroids doctor")
    wanted = asked(settings.runners, what)
    missing = limits.missing(host, engine.address, wanted, what)
    if missing:
        detail, hint = limits.words(missing, wanted, what), limits.remedy(missing, what)
        # The size is looked at where there are no quotas: that is no reason to mend anything.
        fine = missing == ["disk"]
        return Finding(name="limits", ok=fine, detail=detail, hint=None if fine else hint)
    if not what.isolated:
        return Finding(name="limits", ok=True, detail="none, on this engine")
    return Finding(name="limits", ok=True, detail=limits.listed(limits.values(wanted)))


def _ca_bundle(host: Host) -> Finding:
    try:
        path = find_ca_bundle(os.environ, host.settings(None).ca_bundle)
    except SteroidsError as error:
        return Finding(name="CA bundle", ok=False, detail=error.message, hint=error.hint)
    return Finding(name="CA bundle", ok=True, detail=str(path) if path else "none of your own")


def _proxy(host: Host) -> Finding:
    try:
        found = find_proxies(os.environ, host.settings(None).proxy)
    except SteroidsError as error:
        return Finding(name="proxy", ok=False, detail=error.message, hint=error.hint)
    if found.left_out:
        hint = "steroids config show   # proxy: {http: ..., passwords: true}"
        return Finding(name="proxy", ok=False, detail=found.left_out, hint=hint)
    names = [name for name in NAMES if name in found.variables]
    detail = f"containers get {' and '.join(names)}" if names else "none"
    return Finding(name="proxy", ok=True, detail=detail)


def _config(host: Host, project: OpenProject) -> Finding:
    try:
        host.resolved(project)
    except SteroidsError as error:
        return Finding(name="config", ok=False, detail=error.message, hint=error.hint)
    return Finding(name="config", ok=True, detail=f"as on {project.target}")


def _remote(project: OpenProject) -> Finding:
    try:
        where = target.destination(project)
        tip = target.fetch(project)
    except SteroidsError as error:
        return Finding(name="remote", ok=False, detail=error.message, hint=error.hint)
    return Finding(name="remote", ok=True, detail=f"{where.display} at {tip[:7]}")
