"""What databases are called, so that each home knows its own on a server that several use."""

import hashlib
import hmac
import secrets
from pathlib import Path

from steroids.services.host import Host, OpenProject
from steroids.setting_groups import Database

HOME_CHARS = 6
_KEY = "databases.key"


def prefix(host: Host, settings: Database) -> str:
    """Of all that this home has on a server."""
    return f"{settings.prefix}{host.id[:HOME_CHARS]}_"


def of_runner(host: Host, settings: Database, runner_id: str) -> str:
    return f"{prefix(host, settings)}{runner_id[:8]}"


def templates_of(host: Host, settings: Database, project: OpenProject) -> str:
    """How the names of a project's templates begin."""
    return f"{prefix(host, settings)}t_{project.id[:8]}_"


def shared_by(host: Host, settings: Database, project: OpenProject) -> str:
    """The one that all runners of a project use, where they are to."""
    return f"{prefix(host, settings)}p_{project.id[:8]}"


def new_password() -> str:
    """Of characters that need no quoting in a URL."""
    return secrets.token_hex(16)


def lasting_password(home: Path, database: str) -> str:
    """The same each time, for a database that outlives whoever asked for it first."""
    path = home / _KEY
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return hmac.new(path.read_bytes(), database.encode(), hashlib.sha256).hexdigest()[:32]
