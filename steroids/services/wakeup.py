"""A wakeup: every project of this host that has work gets its runners.

Dead runners and expired leases are reconciling's, all the time; a wakeup waits for one round of it,
so that what it counts as living lives. It never asks a project's remote for more than `up` does,
and opens only those that have something to do.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import col, func, select

from steroids.errors import SteroidsError
from steroids.services import registry, wakeup_book, wanting
from steroids.services.glimpse import glimpse
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.services.presence import present
from steroids.services.wakeup_plan import Plan, failed, of, said
from steroids.store import home_models as home
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.runner import WORKERS, Up
from steroids.wire.wakeup import Action, Wakeups, Woken

log = logging.getLogger("steroids.wakeup")

ROUND_S = 20.0
"""To wait for reconciling at most: an engine that does not answer keeps a round waiting."""
LOST_S = 10.0
AT_ONCE = 8
"""Projects that are started at the same time: their remotes are asked."""

_BUG = SteroidsError("a bug in Steroids", hint="steroids daemon logs")
Runners = dict[str, list[home.Runner]]


def wakeup(host: Host, jobs: Jobs, *, dry_run: bool = False) -> Wakeups:
    """Look at every project and start what is missing; one that fails is told and passed over.

    While another one is at it, nothing is done and `in_progress` is true. A dry run changes
    nothing and never waits.
    """
    began, began_at = time.monotonic(), utc_now()
    if not dry_run:
        if not host.waking.acquire(blocking=False):
            return Wakeups(results=[], in_progress=True)
        try:
            _await_round(host, jobs)
            results = _all(host, dry_run=False)
            took_s = time.monotonic() - began
            wakeup_book.note(host, began_at, took_s, results)
        finally:
            host.waking.release()
    else:
        results = _all(host, dry_run=True)
    return Wakeups(results=results, took_s=round(time.monotonic() - began, 3))


def _await_round(host: Host, jobs: Jobs) -> None:
    """Until what is dead is known to be dead."""
    host.changed()
    if not host.rounds.wait(ROUND_S):
        log.warning("no round of reconciling within %.0f s", ROUND_S)
    with host.store.read() as session:
        living = list(rows.active(session))
    for row in living:
        if jobs.runs(("lost", row.id)):
            jobs.once(("lost", row.id), lambda: None).wait(LOST_S)


def _all(host: Host, *, dry_run: bool) -> list[Woken]:
    every = _in_turn(host)
    there = present(row.path for row in every if row.enabled)
    if not dry_run:
        registry.seen(host, [row.id for row in every if row.path in there])
    living = _living(host)
    results: list[Woken] = []
    plans: list[Plan] = []
    for row in every:
        found = _one(host, row, living[row.id], there=row.path in there)
        if isinstance(found, Plan):
            plans.append(found)
        else:
            results.append(found)
    room = host.settings(None).runners.max_on_host - sum(map(len, living.values()))
    given = share(plans, room)
    with ThreadPoolExecutor(AT_ONCE, "wakeup") as pool:
        pairs = zip(plans, given, strict=True)
        results += pool.map(lambda pair: _start(host, *pair, dry_run=dry_run), pairs)
    return sorted(results, key=lambda each: each.project)


def _one(
    host: Host, row: home.Project, living: Sequence[home.Runner], *, there: bool
) -> Plan | Woken:
    if not row.enabled:
        return said(row, Action.SKIPPED, "disabled", len(living))
    if not there:
        return said(row, Action.SKIPPED, "missing: it is not there now", len(living))
    try:
        return of(host, row, living, glimpse(Path(row.path)))
    except SteroidsError as error:
        return failed(row, error, len(living))
    except Exception:
        log.exception("wakeup of %s", row.path)
        return failed(row, _BUG, len(living))


def share(plans: Sequence[Plan], room: int) -> list[int]:
    """How many runners each of them may start: one each in turn, until the room or their own is
    used up."""
    asked = [min(each.free, len(each.new) + len(each.again) + each.single) for each in plans]
    given = [0] * len(plans)
    while room > 0 and given != asked:
        for index, most in enumerate(asked):
            if room > 0 and given[index] < most:
                given[index] += 1
                room -= 1
    return given


def _start(host: Host, plan: Plan, places: int, *, dry_run: bool) -> Woken:
    if not places:
        limit = host.settings(None).runners.max_on_host
        reason = f"no room for more: runners.max_on_host is {limit}"
        action = Action.RUNNING if plan.living else Action.SKIPPED
        return said(plan.row, action, reason, plan.living)
    # Those that somebody wants get theirs anyway, by the next round.
    new = plan.new[: max(0, places - len(plan.again))]
    chosen = [*plan.again, *new][:places]
    action = Action.WOULD_START if dry_run else Action.STARTED
    reason = "tasks to begin" if new or not (plan.again or plan.single) else "wanted, and not there"
    try:
        if not dry_run:
            _bring_up(host, plan, new)
    except SteroidsError as error:
        return failed(plan.row, error, plan.living)
    except Exception:
        log.exception("wakeup of %s", plan.row.path)
        return failed(plan.row, _BUG, plan.living)
    return Woken(
        project=plan.row.path,
        action=action,
        reason=reason,
        runners=plan.living + places,
        sections=chosen,
    )


def _bring_up(host: Host, plan: Plan, new: list[str]) -> None:
    if new:
        wanting.up(host, plan.project, Up(sections=new))
        return
    # Asked here, so that an engine that is away is told, and not a start that does not come.
    settings = host.settings(plan.project)
    host.engine(plan.row.wanted or settings.engine).capabilities()


def _living(host: Host) -> Runners:
    found: Runners = defaultdict(list)
    with host.store.read() as session:
        for row in rows.active(session):
            if row.role in WORKERS:
                found[row.project_id].append(row)
    return found


def _in_turn(host: Host) -> list[home.Project]:
    """Those first that have not had a runner for the longest time, so that a full host serves
    them all."""
    with host.store.read() as session:
        last = select(home.Runner.project_id, func.max(home.Runner.started_at)).group_by(
            col(home.Runner.project_id)
        )
        started = dict(session.exec(last).all())
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(host.projects(), key=lambda row: started.get(row.id) or never)
