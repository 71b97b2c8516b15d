"""The last wakeups, and what they did."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlmodel import col, delete, select

from steroids.services.host import Host
from steroids.store import home_models as home
from steroids.wire.body import to_builtins
from steroids.wire.wakeup import Action, PastWakeup, PastWakeups, Woken

KEPT = 50


def note(host: Host, began_at: datetime, took_s: float, results: Sequence[Woken]) -> None:
    """Write it down; those before the last few are forgotten."""
    told = [each for each in results if each.action is Action.STARTED or each.failed]
    actions = [to_builtins(each) for each in told]
    row = home.Wakeup(
        began_at=began_at, took_s=round(took_s, 3), projects=len(results), actions=actions
    )
    with host.store.write() as session:
        session.add(row)
        session.flush()
        assert row.id is not None
        session.exec(delete(home.Wakeup).where(col(home.Wakeup.id) <= row.id - KEPT))


def listing(host: Host) -> PastWakeups:
    with host.store.read() as session:
        found = session.exec(select(home.Wakeup).order_by(col(home.Wakeup.id).desc())).all()
    return PastWakeups(
        wakeups=[
            PastWakeup(
                began_at=row.began_at,
                took_s=row.took_s,
                projects=row.projects,
                results=msgspec.convert(row.actions, list[Woken]),
            )
            for row in found
        ]
    )
