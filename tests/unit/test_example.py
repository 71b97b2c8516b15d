"""The demo's monorepo, with and without a database."""

import json
import re
from pathlib import Path

import pytest

from steroids.cli import example
from steroids.services.migrations import USUAL
from steroids.settings import resolve

LOCKED = ("node_modules/pg", "node_modules/node-pg-migrate")


@pytest.mark.parametrize("database", [False, True])
def test_its_lockfile_has_what_its_manifests_want_and_names_no_registry(
    tmp_path: Path, *, database: bool
) -> None:
    clone = example.write(tmp_path, database=database).clone

    lock = json.loads((clone / "package-lock.json").read_text())["packages"]
    for app in ("apps/api", "apps/mobile", "packages/shared-types"):
        manifest = json.loads((clone / app / "package.json").read_text())
        assert lock[app].get("dependencies") == manifest.get("dependencies"), app
    resolved = [each.get("resolved", "") for each in lock.values()]
    assert not [each for each in resolved if "://" in each]
    assert all((name in lock) == database for name in LOCKED)


def test_its_settings_want_a_database_and_its_migrations_are_found(tmp_path: Path) -> None:
    clone = example.write(tmp_path, database=True).clone

    content = (clone / ".steroids" / "config.yaml").read_bytes()
    wanted = resolve(tmp_path / "none", ("config.yaml", content)).settings.database
    assert (wanted.strategy, wanted.kind, wanted.server) == ("isolated", "postgres", "managed")
    assert wanted.migrate is not None
    script = re.search(r"npm run --silent (\w+) -w (\S+)", wanted.migrate)
    assert script is not None
    manifest = json.loads((clone / script[2] / "package.json").read_text())
    assert script[1] in manifest["scripts"]
    assert list((clone / script[2] / "migrations").glob("*.sql")) and "**/migrations/**" in USUAL
