"""A test database for each runner, the whole way: from settings to what agents and checks see."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from tests.support.story import Story, at_gate, gate

MIGRATE = 'for f in db/migrations/*.sql; do psql -q -v ON_ERROR_STOP=1 -f "$f"; done'
FIRST = "CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);\n"
SEED = "INSERT INTO orders (item) VALUES ('tea'), ('cake');\n"
COUNT = "SELECT count(*) FROM orders"
BORN = "SELECT pg_postmaster_start_time()::text"
TWO = f'test "$(psql -qAt -c "{COUNT}")" = 2'
WORK = """psql -qc "INSERT INTO orders (item) VALUES ('pie')"
{gate}
echo {section} >> apps/{section}/done"""
SHUT_OUT = """for other in $(psql -qAtc 'SELECT datname FROM pg_database'); do
    [ "$other" = "$PGDATABASE" ] || ! psql -d "$other" -qc 'SELECT 1' || exit 1
done
! PGPASSWORD= psql -U postgres -d postgres -qc 'SELECT 1' || exit 1
psql -qc 'CREATE EXTENSION pgcrypto' -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public'
"""


def migrated(story: Story, **files: str) -> None:
    """The project has migrations on its target branch."""
    folder = story.repo.path / "db" / "migrations"
    folder.mkdir(parents=True)
    for name, text in {"1_orders.sql": FIRST, "2_seed.sql": SEED, **files}.items():
        (folder / name).write_text(text)
    story.repo.git("add", "-A")
    story.repo.git("commit", "-qm", "Migrations")
    story.repo.git("push", "-q", "origin", "main")
    story.configure(database={"strategy": "isolated", "migrate": MIGRATE})


def databases(story: Story) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = story.run("db", "list", "--json").json["databases"]
    return found


def passwords(story: Story) -> set[str]:
    """Of all databases on the books now."""
    with closing(sqlite3.connect(story.home / "steroids.db")) as store:
        rows = store.execute("SELECT database FROM runners WHERE database IS NOT NULL").fetchall()
    return {json.loads(book)["password"] for (book,) in rows}


def ask(story: Story, section: str, statement: str) -> str:
    """As that section's agent."""
    return story.run("db", "shell", section, "-qAtc", statement).out.strip()


def kill_server(story: Story) -> None:
    """As for want of memory: without any farewell."""
    assert story.engine is not None
    (server,) = story.containers("database")
    story.engine.stop(server.handle, 0)


def test_each_section_has_a_migrated_and_seeded_database_of_its_own(story: Story) -> None:
    migrated(story)
    for name in ("A", "B"):
        story.add_section(name, TWO)
    tasks = [
        story.add_task("A", "First", WORK.format(gate=gate(), section="a")),
        story.add_task("B", "Second", SHUT_OUT + "\n" + gate() + "\necho b >> apps/b/done"),
    ]
    up = story.start("up")
    story.wait_for_line(at_gate())
    story.wait("both at it", lambda: ask(story, "A", COUNT) == "3")

    beside = story.run("exec", "A", "psql", "-qAtc", COUNT)
    assert beside.out.strip() == "3", "what a person runs beside the agent is told the same"

    listed = {each["section"]: each for each in databases(story)}
    template = listed.pop(None)
    assert set(listed) == {"A", "B"}
    assert {each["template"] for each in listed.values()} == {template["template"]}
    seen = {each["section"]: each["database"] for each in story.runners()}
    assert seen == {section: each["name"] for section, each in listed.items()}

    secrets = passwords(story)
    reset = story.run("db", "reset", "A", "--json").json
    assert reset["database"]["name"] == listed["A"]["name"] and reset["durationS"] > 0
    assert ask(story, "A", COUNT) == "2"
    story.wait("B at its gate", lambda: len(story.events("log")) and _gates(story) == 2)
    for name in ("A", "B"):
        story.release(name)
    shown = story.finish(up).out
    assert f"from {template['template']} (1 table)" in shown
    assert {story.task(task)["status"] for task in tasks} == {"completed"}
    story.wait("dropped", lambda: [each["section"] for each in databases(story)] == [None])
    told = (story.home / "logs" / "controller.log").read_text() + json.dumps(story.events())
    assert secrets and not [each for each in secrets if each in told]


def _gates(story: Story) -> int:
    return sum(1 for each in story.events("log") if each["text"] == at_gate())


def test_what_cannot_be_migrated_is_told_and_a_server_that_dies_is_nobodys_fault(
    story: Story,
) -> None:
    migrated(story, **{"3_broken.sql": "CREATE TABLE orders (id int);\n"})
    story.add_section("A", TWO)
    task = story.add_task("A", "Add", WORK.format(gate=gate(), section="a"))
    failed = story.run("up", exits=5)
    assert f"Migration failed: `{MIGRATE}` exited" in failed.out
    assert 'relation "orders" already exists' in failed.out
    assert "less " in failed.out
    assert not [each for each in databases(story) if each["template"]], "half a template is none"

    story.repo.git("rm", "-q", "db/migrations/3_broken.sql")
    story.repo.git("commit", "-qm", "Mend")
    story.repo.git("push", "-q", "origin", "main")
    up = story.start("up")
    story.wait_for_line(at_gate())
    born = ask(story, "A", BORN)
    kill_server(story)
    # Its agent goes on, with the same database, once the server is back.
    story.wait("the server back", lambda: _answer(story, BORN) not in ("", born))
    assert ask(story, "A", COUNT) == "3"

    born = ask(story, "A", BORN)
    hangs = f"psql -qAtc \"SELECT pg_sleep(CASE WHEN ({BORN}) = '{born}' THEN 600 ELSE 0 END)\""
    story.run("sections", "edit", "A", "--check", f"{hangs} && {TWO}")
    story.release("A")
    story.wait("the check", lambda: any("pg_sleep" in e["text"] for e in story.events("log")))
    kill_server(story)
    story.finish(up)
    shown = story.task(task)
    assert (shown["status"], shown["currentAttempt"], shown["rejectionCount"]) == (
        "completed",
        1,
        0,
    )
    broke = [each["text"] for each in story.events("notice") if "review broke" in each["text"]]
    assert broke == ["review broke: The database server ended while it was in use"]


def _answer(story: Story, statement: str) -> str:
    return story.cli.run("db", "shell", "A", "-qAtc", statement).out.strip()
