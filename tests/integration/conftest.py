from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.controllers import desk
from tests.support.external import external_mysql, external_postgres
from tests.support.mariadb import mariadb
from tests.support.postgres import postgres
from tests.support.postgres_lab import guarded_postgres
from tests.support.reviewing import api, bots
from tests.support.service import Bench, bench
from tests.support.stores import place, postgres_place, sqlite_place

__all__ = [
    "api",
    "bots",
    "desk",
    "external_mysql",
    "external_postgres",
    "guarded_postgres",
    "mariadb",
    "place",
    "postgres",
    "postgres_place",
    "sqlite_place",
]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Bench]:
    """A project with a remote, and no section yet."""
    with bench(tmp_path) as made:
        yield made


@pytest.fixture
def local_project(tmp_path: Path) -> Iterator[Bench]:
    """One without a remote."""
    with bench(tmp_path, remote=False) as made:
        yield made
