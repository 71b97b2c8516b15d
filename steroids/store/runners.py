"""Queries on runners. The caller holds the transaction."""

import hashlib
import secrets
import socket
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from steroids.errors import SectionBusy
from steroids.store.home_models import Runner
from steroids.wire.runner import ACTIVE, Role, RunnerStatus


def register(
    session: Session,
    *,
    project_id: str,
    role: Role,
    section_id: str | None,
    engine: str,
    engine_address: str,
    keep: bool = False,
    once: bool = False,
    loop: dict[str, Any] | None = None,
    assignment: str | None = None,
) -> tuple[Runner, str]:
    """A new runner and its token, of which only a hash is stored.

    Raises `SectionBusy` when the section has a living runner: the database decides, so of any
    number of simultaneous starts one succeeds.
    """
    token = secrets.token_urlsafe(32)
    row = Runner(
        project_id=project_id,
        role=role,
        section_id=section_id,
        engine=engine,
        engine_address=engine_address,
        keep=keep,
        once=once,
        loop=loop,
        assignment=assignment,
        token_hash=token_hash(token),
        host=socket.gethostname(),
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise SectionBusy(
            "Cannot start runner: the section already has an active runner", hint="steroids ps"
        ) from None
    return row, token


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def by_token(session: Session, token: str) -> Runner | None:
    """The living runner that this token was given to."""
    query = select(Runner).where(Runner.token_hash == token_hash(token))
    row = session.exec(query).first()
    return row if row is not None and row.status in ACTIVE else None


def active(
    session: Session, project_id: str | None = None, role: Role | None = None
) -> Sequence[Runner]:
    """Living runners, oldest first."""
    query = select(Runner).where(col(Runner.status).in_(ACTIVE)).order_by(col(Runner.started_at))
    if project_id is not None:
        query = query.where(Runner.project_id == project_id)
    if role is not None:
        query = query.where(Runner.role == role)
    return session.exec(query).all()


def last_on_each_engine(session: Session) -> Sequence[Runner]:
    """The youngest runner of each engine's address, living or not."""
    newest = select(func.max(Runner.started_at)).group_by(col(Runner.engine_address))
    return session.exec(select(Runner).where(col(Runner.started_at).in_(newest))).all()


def last_claimed(session: Session, engine_address: str) -> Runner | None:
    """The youngest runner there that asked for work, living or not."""
    query = select(Runner).where(
        Runner.engine_address == engine_address, col(Runner.heartbeat_at).is_not(None)
    )
    return session.exec(query.order_by(col(Runner.started_at).desc()).limit(1)).first()


def end(row: Runner, status: RunnerStatus, at: datetime) -> None:
    """Mark it stopped or lost; its token is worth nothing from then on."""
    row.status = status
    row.ended_at = at
    row.task_id = None
    row.waits_for = None
    row.waits_since = None
