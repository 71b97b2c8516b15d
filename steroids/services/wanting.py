"""`up` and `down`: which sections are to have a runner; reconciling sees to it."""

from collections.abc import Sequence

from steroids.errors import WrongState
from steroids.provisioning import snapshot
from steroids.services import (
    demand,
    events,
    project_changes,
    registration,
    runners,
    sections,
    target,
)
from steroids.services.host import Host, OpenProject
from steroids.services.landing_refusal import retry_refused
from steroids.services.prospects import prospects
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.event import EventKind
from steroids.wire.runner import Down, Role, Stop, Up, UpReply


def up(host: Host, project: OpenProject, body: Up) -> UpReply:
    """Say which sections want a runner; reconciling starts them, now and after a crash.

    Raises `NoEngine` or `EngineUnavailable`, `GitError` when the target cannot be read,
    `NotFound` for an unknown section, `WrongState` for a skipped one, and
    `SingleRunnerActive`: before anything is changed.
    """
    project_changes.refuse_disabled(host, project)
    # First of all: the settings are those on the branch now, and a bad one may have been mended.
    target.fetch(project)
    settings = host.resolved(project).settings
    engine = host.engine(body.engine or settings.engine)
    what = engine.capabilities()
    registration.refuse_single(host, project)
    retry_refused(host, project)
    snapshot.try_again(project.id)
    since = events.last(project)
    with project.store.write() as session:
        named = [sections.named(session, word) for word in dict.fromkeys(body.sections)]
        _refuse_skipped(named)
        rules = demand.rules_of(session, settings.runners)
        every = [each for each in sections.every(session) if not each.skipped]
        asked = named or every
        ahead = prospects(session, rules, [each.id for each in asked])
        chosen = [each for each in asked if body.keep or ahead.work_left(each.id)]
        for section in chosen:
            section.wanted, section.keep = engine.address, body.keep
            session.add(section)
        ready = [each for each in chosen if not ahead.waits(each.id)]
        stuck = [each.text for section in asked for each in ahead.stuck_tasks(section.id)]
    starting = _starting(host, project, ready, settings.runners.max_parallel)
    host.changed()
    notes = [*(runners.notes(host, project, chosen, what) if chosen else []), *stuck]
    return UpReply(
        sections=[section.name for section in chosen], starting=starting, since=since, notes=notes
    )


def _refuse_skipped(named: Sequence[db.Section]) -> None:
    for section in named:
        if section.skipped:
            raise WrongState(
                f"Cannot start runner: section {section.name} is skipped",
                hint=f"steroids sections unskip '{section.name}'",
            )


def _starting(
    host: Host, project: OpenProject, chosen: Sequence[db.Section], limit: int
) -> list[str]:
    """Which of them get a runner now: the others have one, or have to wait for a place."""
    with host.store.read() as session:
        running = {row.section_id for row in rows.active(session, project.id, Role.SECTION)}
    new = [section for section in chosen if section.id not in running]
    new.sort(key=lambda section: (section.priority, section.position))
    return [section.name for section in new[: max(0, limit - len(running))]]


def down(host: Host, project: OpenProject, body: Down) -> list[home.Runner]:
    """Nobody wants runners in these sections any more (none named: in all).

    Returns those that run; `stopping.stop_all` sees them out.
    """
    with project.store.write() as session:
        every = sections.every(session)
        named = [sections.named(session, word) for word in body.sections] or list(every)
        unwanted = {section.id: section.name for section in named if section.wanted is not None}
        for section in named:
            section.wanted = None
            session.add(section)
    if not body.sections:
        runners.unwant_single(host, project)
    # After that: what is being started meanwhile is either found here, or finds that out itself.
    found = runners.chosen(host, project, Stop(sections=body.sections))
    running = {row.section_id for row in found}
    with project.store.write() as session:
        for section_id, name in unwanted.items():
            if section_id not in running:
                # Whoever follows it waits for its end, and no runner will tell.
                text = "stopped before it had a runner"
                events.record(session, EventKind.STOPPED, text, section=name)
    host.changed()
    return found


def stop(host: Host, project: OpenProject, body: Stop) -> list[home.Runner]:
    """The same for the runners of these ids; with none, for sections, or for all there is."""
    found = []
    if body.ids:
        found = runners.chosen(host, project, Stop(ids=body.ids))
        runners.unwant(host, project, found)
    if body.sections or not body.ids:
        found += down(host, project, Down(sections=body.sections))
    return found
