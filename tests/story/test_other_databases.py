"""Test databases that are no PostgreSQL, the whole way: a MariaDB of ours, SQLite's files."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from steroids.engines.local import LocalEngine
from tests.support.mariadb import MariadbServer
from tests.support.story import Story, at_gate, gate, told
from tests.support.story_repos import plain_monorepo

MIGRATE = "python3 db/migrate.py"
SQLITE = """\
import os, pathlib, sqlite3
with sqlite3.connect(os.environ["SQLITE_PATH"]) as db:
    for path in sorted(pathlib.Path("db/migrations").iterdir()):
        db.executescript(path.read_text())
"""
COUNT = """\
import os, sqlite3, sys
path = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
assert path == os.environ["SQLITE_PATH"] and os.path.isabs(path), path
db = sqlite3.connect(path)
for statement in sys.argv[2:]:
    db.execute(statement)
db.commit()
found = db.execute("SELECT count(*) FROM orders").fetchone()[0]
assert found == int(sys.argv[1]), found
"""
MYSQL = """\
import os, sys, urllib.parse
sys.path.insert(0, "db")
import pymysql
url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
def connect(database=url.path.strip("/"), user=url.username, password=url.password):
    return pymysql.connect(host=url.hostname, port=url.port, user=user, password=password,
        database=database, autocommit=True)
def run(*statements, **how):
    with connect(**how) as db, db.cursor() as cursor:
        for each in statements:
            cursor.execute(each)
        return cursor.fetchall()
"""
MIGRATE_MYSQL = """\
from mysql import *
run("CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(9) NOT NULL)",
    "CREATE VIEW items AS SELECT item FROM orders",
    "INSERT INTO orders (item) VALUES ('tea'), ('cake')")
"""
COUNT_MYSQL = """\
from mysql import *
found = run(*sys.argv[2:], "SELECT count(*) FROM items")[0][0]
assert found == int(sys.argv[1]), found
assert os.environ["MYSQL_DATABASE"] == url.path.strip("/")
"""
OTHERS_MYSQL = """\
from mysql import *
assert [row[0] for row in run("SHOW DATABASES")] == sorted(
    ["information_schema", os.environ["MYSQL_DATABASE"]]), run("SHOW DATABASES")
for how in ({"database": "mysql"}, {"user": "root", "password": ""}, {"database": sys.argv[1]}):
    try:
        run("SELECT 1", **how)
    except pymysql.err.OperationalError as error:
        assert error.args[0] in (1044, 1045, 1698), error
    else:
        raise SystemExit(f"got in as {how}")
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    yield from told(tmp_path, plain_monorepo, LocalEngine(home))


def put(story: Story, **files: str) -> None:
    """On the target branch."""
    folder = story.repo.path / "db"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    story.repo.git("add", "-A")
    story.repo.git("commit", "-qm", "Database")
    story.repo.git("push", "-q", "origin", "main")


def test_sqlite_is_a_migrated_file_of_each_runners_own(local: Story) -> None:
    story = local
    first = "CREATE TABLE orders (item TEXT); INSERT INTO orders VALUES ('tea'), ('cake');"
    put(story, **{"migrate.py": SQLITE, "count.py": COUNT, "migrations/1.sql": first})
    story.configure(database={"strategy": "isolated", "kind": "sqlite", "migrate": MIGRATE})
    story.add_section("A", "python3 db/count.py 2 'SELECT * FROM more'")
    story.add_section("B", "python3 db/count.py 2")
    pie = "\"INSERT INTO orders VALUES ('pie')\""
    tasks = [
        # Each check, and each attempt, begins with a fresh one, as its own commit migrates it.
        story.add_task(
            "A",
            "One",
            f"""python3 db/count.py 3 {pie}
{gate()}
echo 'CREATE TABLE more (a INT);' > db/migrations/2.sql
echo x > apps/a/done""",
        ),
        story.add_task(
            "A", "Two", f"python3 db/count.py 3 {pie} 'SELECT * FROM more'; echo x >> apps/a/done"
        ),
        story.add_task("B", "Three", f"python3 db/count.py 2\n{gate()}\necho x > apps/b/done"),
    ]
    up = story.start("up")
    story.wait("both at it", lambda: sum(e["text"] == at_gate() for e in story.events("log")) == 2)
    for name in ("A", "B"):
        story.release(name)
    story.finish(up)

    assert {story.task(task)["status"] for task in tasks} == {"completed"}
    migrated = [e for e in story.events("log") if e["text"] == f"$ {MIGRATE}"]
    by_runner = Counter(e["runnerId"] for e in migrated)
    # A's own twice, for two states of the migrations; all others once.
    assert sorted(by_runner.values())[-2:] == [1, 2] and len(by_runner) > 2
    changed = story.repo.git("ls-remote", "origin", "main").split()[0]
    story.repo.git("fetch", "-q", "origin")
    names = story.repo.git("ls-tree", "-r", "--name-only", changed)
    assert "sqlite3" not in names and "db/migrations/2.sql" in names


@pytest.mark.parametrize(
    ("story_engine", "managed"),
    [
        pytest.param("podman", True, marks=pytest.mark.podman),
        pytest.param("docker", False, marks=[pytest.mark.docker, pytest.mark.mariadb]),
    ],
    indirect=["story_engine"],
    scope="session",
)
def test_each_runner_has_a_database_of_its_own_on_a_mariadb(
    story: Story, managed: bool, request: pytest.FixtureRequest
) -> None:
    theirs = None if managed else request.getfixturevalue("mariadb")
    # The user's own listens on this host, where containers are on networks of their own.
    server = {"server": theirs.url(host="localhost")} if theirs else {}
    put(
        story,
        **{
            "mysql.py": MYSQL,
            "migrate.py": MIGRATE_MYSQL,
            "count.py": COUNT_MYSQL,
            "others.py": OTHERS_MYSQL,
        },
    )
    source = Path(str(pymysql.__file__)).parent
    shutil.copytree(source, story.repo.path / "db" / "pymysql")
    put(story)
    story.configure(
        database={"strategy": "isolated", "kind": "mysql", "migrate": MIGRATE, **server}
    )
    for name in ("A", "B"):
        story.add_section(name, "python3 db/count.py 2")
    insert = "\"INSERT INTO orders (item) VALUES ('pie')\""
    tasks = [
        story.add_task(
            name,
            f"In {name}",
            f"""python3 db/count.py 3 {insert}
{gate()}
python3 db/others.py $(cat $HOME/other 2>/dev/null || echo sys)
echo x > apps/{name.lower()}/done""",
        )
        for name in ("A", "B")
    ]
    up = story.start("up")
    story.wait("both at it", lambda: sum(e["text"] == at_gate() for e in story.events("log")) == 2)
    listed = story.run("db", "list", "--json").json["databases"]
    assert {each["section"] for each in listed} == {"A", "B", None}
    where = f"mysql://steroids@localhost:{theirs.port}/" if theirs else "managed (podman)"
    assert {(each["kind"], each["server"]) for each in listed} == {("mysql", where)}
    counted = story.run("db", "shell", "A", "-BNe", "SELECT COUNT(*) FROM items").out.strip()
    assert counted == "3"
    for name in ("A", "B"):
        story.release(name)
    shown = story.finish(up).out

    assert "(1 table)" in shown
    assert {story.task(task)["status"] for task in tasks} == {"completed"}
    if theirs is not None:
        story.wait("dropped", lambda: runners_on(theirs) == [])
        events = json.dumps(story.events()) + story.run("config", "show").out
        assert theirs.password not in events + shown + story.log()


def runners_on(theirs: MariadbServer) -> list[str]:
    """What is there beside templates."""
    names = [name for (name,) in theirs.run("SHOW DATABASES")]
    return [name for name in names if name.startswith("test_runner_") and "_t_" not in name]
