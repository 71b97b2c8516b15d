"""How long a wakeup leaves a section alone whose runner could not be started the last time.

A set-up that fails would else be tried every minute, all night. What a person asks for is tried at
once; and whatever they have mended is found out within the hour.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from steroids.store import project_models as db
from steroids.wire.event import EventKind

FIRST = timedelta(minutes=2)
MOST = timedelta(hours=1)
COUNTED = 6
"""Failures in a row, after which it is the most anyway."""


def until(session: Session, section: str) -> datetime | None:
    """When the section of that name may be tried again; None: now. The delay is doubled with each
    failure since its runner last took a task."""
    failures = (
        select(db.Event.seq, db.Event.at)
        .where(db.Event.section == section, db.Event.kind == EventKind.FAILED)
        .order_by(col(db.Event.seq).desc())
        .limit(COUNTED)
    )
    found = session.exec(failures).all()
    if not found:
        return None
    claims = select(func.max(db.Event.seq)).where(
        db.Event.section == section, db.Event.kind == EventKind.CLAIMED
    )
    worked = session.exec(claims).one() or 0
    since = [at for seq, at in found if seq is not None and seq > worked]
    return since[0] + min(MOST, FIRST * 2 ** (len(since) - 1)) if since else None
