"""Ends of a runner that somebody wanted: stopped, or drained."""

import contextlib
from collections.abc import Sequence

from sqlmodel import Session

from steroids.engines.spec import Handle
from steroids.errors import EngineError
from steroids.provisioning import container
from steroids.scheduling.rules import Rules
from steroids.services import builds, claiming_once, demand, verdicts
from steroids.services.events import record, say
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.launching import section_name
from steroids.services.prospects import Prospects, prospects
from steroids.services.runners import ended, held, unwant_single
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, RunnerStatus

GRACE_S = 30.0
HURRY_S = 20.0
"""For what is committed to be uploaded, when the agent is killed at once."""


def stop_all(
    host: Host, jobs: Jobs, project: OpenProject, gone: Sequence[home.Runner], *, now: bool
) -> None:
    """Stop these, at the same time; returns when their containers are gone."""
    if now:
        # Also what is being stopped gracefully already.
        host.hurried.update(row.id for row in gone)
    stops = [jobs.once(("stop", row.id), stop, host, project, row, now) for row in gone]
    for over in stops:
        over.wait()


def stop(host: Host, project: OpenProject, runner: home.Runner, now: bool) -> None:
    """Stop a runner and remove its container; blocks until that is done.

    Gracefully its agent has time to end; with `now` that is killed at once. Either way what there
    is is uploaded, unless that takes too long: then its task goes on from what was before.
    """
    if now:
        host.hurried.add(runner.id)
    grace_s = HURRY_S if now else GRACE_S
    if not _take_away(host, project, runner, grace_s, "its runner was stopped"):
        return
    name = section_name(project, runner)
    say(host, project, EventKind.STOPPED, "stopped", section=name, runner_id=runner.id)
    host.changed()


def _take_away(
    host: Host, project: OpenProject, runner: home.Runner, grace_s: float, reason: str
) -> bool:
    """From living to stopped: container, locks, row. False when it was at its end before."""
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        if row.status not in ACTIVE:
            return False
        row.status = RunnerStatus.STOPPING
        session.add(row)
    host.changed()
    with host.guard(runner.id):
        with host.store.read() as session:
            now = session.get_one(home.Runner, runner.id)
        _see_out(host, now, grace_s=grace_s)
        give_back(host, project, runner, reason)
        ended(host, runner.id, RunnerStatus.STOPPED)
    return True


def make_room(host: Host, project: OpenProject, runner: home.Runner) -> None:
    """Stop an idle runner, so that a section with work gets its place; it stays wanted."""
    if not _take_away(host, project, runner, GRACE_S, "its runner made room for another"):
        return
    text = "idle, makes room for a section with work"
    name = section_name(project, runner)
    say(host, project, EventKind.NOTICE, text, section=name, runner_id=runner.id)
    host.changed()


def give_up(host: Host, project: OpenProject, runner: home.Runner, why: str) -> None:
    """Stop a runner whose container is over a limit; it stays wanted, and gets a new one."""
    if not _take_away(host, project, runner, GRACE_S, "its runner was given up"):
        return
    if is_own_end(runner):
        say_own_end(host, project, runner, f"stopped: {why}")
        return
    name = section_name(project, runner)
    text = f"its container is given up for a new one: {why}"
    say(host, project, EventKind.NOTICE, text, section=name, runner_id=runner.id)
    host.changed()


def give_back(host: Host, project: OpenProject, runner: home.Runner, reason: str) -> None:
    """Return what a runner still holds; nothing counted against its task."""
    with project.store.write() as session:
        builds.release(session, runner.id)
        for task in held(session, runner.id):
            section = session.get_one(db.Section, task.section_id)
            verdicts.give_back(session, task, reason, section=section.name, actor="runner")


def drained(host: Host, project: OpenProject, runner: home.Runner) -> None:
    """The runner was told to stop since nothing was left: see it out, and say so.

    Unless somebody has added work in the meantime: then it stays wanted, and the next round of
    reconciling starts another.
    """
    if not _take_away(host, project, runner, GRACE_S, "its runner was drained"):
        return
    if runner.once:
        with project.store.read() as session:
            had = claiming_once.task_of(session, runner.id)
        text = "ends: its one task is over" if had else "ends: there is nothing to do"
        say_own_end(host, project, runner, text)
        return
    name = section_name(project, runner)
    settings = host.settings(project)
    with project.store.write() as session:
        rules = demand.rules_of(session, settings.runners)
        own = [runner.section_id] if runner.section_id else list(rules.sections)
        single = Prospects(session, rules, None)
        ahead = prospects(session, rules, own) if runner.section_id else single
        over = not any(map(ahead.work_left, own))
        if over:
            _say_what_waits(session, rules, ahead, own)
            if runner.section_id is not None:
                row = session.get_one(db.Section, runner.section_id)
                row.wanted = None
                session.add(row)
            record(session, EventKind.DRAINED, section=name, runner_id=runner.id)
    if over and runner.section_id is None:
        unwant_single(host, project)
    if not over and is_own_end(runner):
        say_own_end(host, project, runner, "ends: nothing was left for it")
    host.changed()


def is_own_end(runner: home.Runner) -> bool:
    """Whether nobody starts another one in its place."""
    return runner.once or runner.loop is not None


def say_own_end(host: Host, project: OpenProject, runner: home.Runner, text: str) -> None:
    """The last that is heard of a runner which is not started again. It does not close its section
    to those who follow that: another runner may be wanted there."""
    name = section_name(project, runner)
    data = {"over": True}
    say(host, project, EventKind.NOTICE, text, section=name, runner_id=runner.id, data=data)
    host.changed()


def never_started(host: Host, project: OpenProject, section_id: str) -> None:
    """A section that waited for a place, or for others, has nothing left to wait with."""
    settings = host.settings(project)
    with project.store.write() as session:
        section = session.get_one(db.Section, section_id)
        rules = demand.rules_of(session, settings.runners)
        ahead = prospects(session, rules)
        if section.wanted is None or ahead.work_left(section_id):
            return
        _say_what_waits(session, rules, ahead, [section_id])
        section.wanted = None
        session.add(section)
        record(session, EventKind.DRAINED, section=section.name)
    host.changed()


def _say_what_waits(
    session: Session, rules: Rules, ahead: Prospects, section_ids: Sequence[str]
) -> None:
    """Name what will not be begun, since something before it went wrong."""
    for section_id in section_ids:
        section = rules.sections.get(section_id)
        if section is None:
            continue
        behind = ahead.stuck_behind(section_id)
        if behind and demand.pending_count(session, section_id):
            text = (
                f"blocked: it comes after {', '.join(behind)}, which will not be finished as it is"
            )
            record(session, EventKind.NOTICE, text, section=section.name)
        for each in ahead.stuck_tasks(section_id):
            data = {"hint": each.hint} if each.hint else None
            record(
                session,
                EventKind.NOTICE,
                each.text,
                section=section.name,
                task=each.task,
                data=data,
            )


def _see_out(host: Host, runner: home.Runner, *, grace_s: float) -> None:
    if runner.container is not None:
        handle = Handle(**runner.container)
        # An engine that is away now is no reason to keep the runner on the books: what is left
        # of it is swept by reconciling when the engine is back.
        with contextlib.suppress(EngineError):
            engine = host.engine(runner.engine_address)
            engine.stop(handle, grace_s)
            container.remove(engine, handle, runner.id)
    container.forget(host.path, runner.id)
