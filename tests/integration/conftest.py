from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import Bench, bench


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
