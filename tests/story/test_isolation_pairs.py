"""Two runners at the same time that cannot see or break each other: with real npm, TypeScript and
PostgreSQL. What one does is held in its middle while the other one does the same."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from steroids.engines.base import Engine
from tests.support.pairs import (
    API,
    BOTH,
    GO,
    HOLD,
    INSTALLING,
    MOBILE,
    PORT,
    Pair,
    pair_monorepo,
    start_pair,
)
from tests.support.story import at_gate, gate, told

TYPES = "npm run build -w @pair/types"
MIGRATE = 'for file in db/*.sql; do psql -q -v ON_ERROR_STOP=1 -f "$file"; done'


@pytest.fixture(scope="module")
def pair(story_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One pair of runners for all tests of an engine."""
    folder = tmp_path_factory.mktemp("pair")
    with contextmanager(told)(folder, pair_monorepo, story_engine) as story:
        story.configure(database={"strategy": "isolated", "migrate": MIGRATE})
        yield start_pair(story, story_engine)


def test_a_half_built_dist(pair: Pair) -> None:
    tests = {section: f"npm test -w @pair/{section.lower()}" for section in BOTH}
    build = pair.start(API, f"touch {HOLD}; {TYPES}")
    pair.wait_for_file(API, "packages/types/dist/area.js")

    # In the middle of the one: nothing works there, and all of it here.
    broken = pair.run(API, tests[API], exits=1)
    assert "Cannot find module" in broken
    pair.run(MOBILE, f"{TYPES} && {tests[MOBILE]}")
    assert pair.run(API, "ls packages/types/dist").split() == ["area.js"]
    assert pair.run(MOBILE, "ls packages/types/dist").split() == ["area.js", "index.js"]

    assert build.runs()
    pair.run(API, f"rm {HOLD}")
    pair.story.finish(build)
    pair.run(API, tests[API])


def test_npm_install_of_different_versions_at_once(pair: Pair) -> None:
    versions = {API: "1.0.0", MOBILE: "2.0.0"}
    installs = {
        section: pair.start(
            section, f"npm install -w @pair/{section.lower()} ./vendor/widget-{version}.tgz"
        )
        for section, version in versions.items()
    }
    for section in BOTH:
        pair.wait_for_file(section, INSTALLING)
    # Both are in the middle of it.
    for section in BOTH:
        assert installs[section].runs()
        pair.run(section, f"touch {GO}")
    for section, version in versions.items():
        pair.story.finish(installs[section])
        script = "node -p 'require(\"widget\").version'; npm ls widget"
        shown = pair.run(section, script)
        assert shown.startswith(f"{version}\n") and f"widget@{version}" in shown


def test_npm_install_from_the_registry_at_once(pair: Pair) -> None:
    versions = {API: "6.0.0", MOBILE: "7.0.0"}
    installs = {
        section: pair.start(section, f"npm install -w @pair/{section.lower()} is-number@{version}")
        for section, version in versions.items()
    }
    for section, version in versions.items():
        pair.story.finish(installs[section])
        script = "node -p 'require(\"is-number/package.json\").version'; npm ls --all"
        shown = pair.run(section, script)
        assert shown.startswith(f"{version}\n") and "invalid" not in shown


def test_the_build_info_of_an_incremental_compiler(pair: Pair) -> None:
    shapes, info = "packages/shapes", "packages/shapes/dist/.tsbuildinfo"
    pair.both(f"npx tsc -b {shapes}")
    before = pair.run(MOBILE, f"sha256sum {info}")
    # A compiler that stays and compiles whatever changes, into the same names.
    watch = pair.start(API, f"exec npx tsc -b --watch --preserveWatchOutput {shapes}")
    pair.run(API, f"echo 'export const added = \"yes\";' >> {shapes}/src/index.ts")
    pair.wait(API, f'-n "$(grep -s added {shapes}/dist/index.d.ts)"')

    assert watch.runs()
    verbose = pair.run(MOBILE, f"npx tsc -b --verbose {shapes}")
    assert "is up to date" in verbose, verbose
    assert pair.run(MOBILE, f"sha256sum {info}") == before
    assert "added" not in pair.run(MOBILE, f"cat {shapes}/dist/index.d.ts {info}")
    # The other way round: thrown away and made again here, it is as new there.
    pair.run(MOBILE, f"rm -r {shapes}/dist && npx tsc -b {shapes}")
    assert "is up to date" in pair.run(API, f"npx tsc -b --verbose {shapes}")
    watch.kill()
    pair.run(API, "pkill -f '[t]sc -b --watch'")


def test_the_same_port(pair: Pair) -> None:
    servers = {}
    for section in BOTH:
        script = f"""require("node:http").createServer((_, answer) => answer.end("{section}"))
          .listen({PORT}, () => require("node:fs").writeFileSync("/tmp/listens", ""))"""
        servers[section] = pair.start(section, f"exec node -e '{script}'")
    for section in BOTH:
        pair.wait_for_file(section, "/tmp/listens")
    assert all(server.runs() for server in servers.values())
    for section in BOTH:
        assert pair.run(section, f"curl -sS localhost:{PORT}") == section
        address = f"http://127.0.0.1:{pair.published(section)}/"
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.read().decode() == section
        pair.run(section, "pkill -f '[l]istens'")


def test_the_same_name_of_a_temporary_file(pair: Pair) -> None:
    # Made only where it is not there, and locked: one of two on one machine would fail.
    lock = """set -C; echo $$ > /tmp/build.lock
      exec 9> "$(node -p 'os.tmpdir()')/pair.lock"; flock --nonblock 9
      node -e 'fs.writeFileSync(os.tmpdir() + "/pair.txt", "mine", { flag: "wx" })'
      touch /tmp/locked; until [ -e /tmp/unlock ]; do sleep 0.1; done
      cat /tmp/build.lock; rm /tmp/build.lock"""
    held = {section: pair.start(section, lock) for section in BOTH}
    for section in BOTH:
        pair.wait_for_file(section, "/tmp/locked")
    assert all(each.runs() for each in held.values())
    pair.run(API, "rm /tmp/pair.txt; touch /tmp/unlock")
    pair.story.finish(held[API])
    pair.run(API, "test ! -e /tmp/build.lock")
    pair.run(MOBILE, "test -e /tmp/build.lock -a -e /tmp/pair.txt -a ! -e /tmp/unlock")
    pair.run(MOBILE, "touch /tmp/unlock")
    pair.story.finish(held[MOBILE])


def test_lockfile_edits(pair: Pair) -> None:
    story = pair.story
    added = {API: "isarray@2.0.5", MOBILE: "isexe@2.0.0"}
    edit = "npm install --package-lock-only -w @pair/{name} {package}\n{gate}"
    tasks = {
        section: story.add_task(
            section,
            f"Adds to {section}",
            edit.format(name=section.lower(), package=package, gate=gate(f"lock-{section}")),
        )
        for section, package in added.items()
    }
    for section in BOTH:
        story.wait_for_line(at_gate(f"lock-{section}"))
    for section in BOTH:
        lock = json.loads(pair.run(section, "cat package-lock.json"))["packages"]
        mine = {name for name in ("isarray", "isexe") if f"node_modules/{name}" in lock}
        assert mine == {added[section].partition("@")[0]}
        changed = pair.run(section, "git diff --name-only").split()
        assert changed == [f"apps/{section.lower()}/package.json", "package-lock.json"]
    for section in BOTH:
        story.release(section, f"lock-{section}")
    for task in tasks.values():
        story.wait_for_status(task, "completed")
    # Neighbours in one file, which no merge of text can put together, and yet both are there.
    lock = json.loads(story.origin.show("package-lock.json"))["packages"]
    assert {"node_modules/isarray", "node_modules/isexe"} <= lock.keys()


SEEDED = "Ana Ben"
NAMES = "psql -qAt -c \"SELECT string_agg(name, ' ' ORDER BY id) FROM users\""


def test_a_migrated_and_seeded_database(pair: Pair) -> None:
    story = pair.story
    # The one goes on migrating and throws all rows away; the other one looks before and after.
    breaks = f"""echo "names {{$({NAMES})}}"
psql -q -c 'TRUNCATE users' -c 'ALTER TABLE users ADD COLUMN born date' -c 'DROP SCHEMA IF EXISTS x'
{gate("truncated")}
test -z "$({NAMES})"
echo api > apps/api/db.txt"""
    looks = f"""{gate("look")}
echo "names {{$({NAMES})}}"
psql -q -c "INSERT INTO users (name) VALUES ('Cy')"
test "$(psql -qAt -c "SELECT count(*) FROM information_schema.columns
  WHERE table_name = 'users'")" = 2
{gate("looked")}
test "$({NAMES})" = '{SEEDED} Cy'
echo mobile > apps/mobile/db.txt"""
    tasks = [story.add_task(API, "Truncates", breaks), story.add_task(MOBILE, "Looks", looks)]
    story.wait_for_line(at_gate("truncated"))
    story.wait_for_line(at_gate("look"))
    story.release(MOBILE, "look")
    story.wait_for_line(at_gate("looked"))
    story.release(API, "truncated")
    story.wait_for_status(tasks[0], "completed")
    story.release(MOBILE, "looked")
    story.wait_for_status(tasks[1], "completed")
    seen = [event["text"] for event in story.events("log")]
    assert seen.count(f"names {{{SEEDED}}}") == 2
