from datetime import UTC, datetime, timedelta, timezone

from sqlmodel import select

from steroids.store import project_models as db
from steroids.store.bulk import Bulk
from steroids.wire.event import EventKind
from tests.support.stores import Place

EAST = timezone(timedelta(hours=8))


def test_rows_go_in_as_the_models_would_put_them(place: Place) -> None:
    store = place.open("project")
    at = datetime(2026, 3, 29, 9, 30, 0, 123456, EAST)
    rows = [
        {
            "kind": EventKind.CLAIMED,
            "at": at,
            "text": 'ä "quoted" \\u0000',
            "data": {"n": [1, None]},
        },
        {"kind": "log", "at": at, "text": "a\0b", "data": {}},
    ]
    with store.write() as session:
        bulk = Bulk(session)
        bulk.insert(db.Event, rows)
        bulk.insert(db.Counter, [{"name": "c", "value": 2**31 - 1}])
        bulk.insert(db.Section, [])
        bulk.write()
    with store.read() as session:
        first, second = session.exec(select(db.Event).order_by("seq")).all()
        assert session.get_one(db.Counter, "c").value == 2**31 - 1
    assert (first.kind, first.text, first.data) == ("claimed", rows[0]["text"], {"n": [1, None]})
    assert (first.at, first.at.tzinfo, first.task_id) == (at, UTC, None)
    assert second.text == ("a\0b" if place.postgres is None else "a\ufffdb")
    assert place.run("SELECT count(*) FROM events WHERE task_id IS NULL AND seq > 0") == [(2,)]


def test_rows_are_changed_by_their_ids_and_no_others(place: Place) -> None:
    store = place.open("project")
    with store.write() as session:
        section = db.Section(name="API", paths=["a/**"], position=1, setup=["make"])
        session.add(section)
        session.flush()
        tasks = [db.Task(title=f"t{n}", section_id=section.id, position=n) for n in range(3)]
        session.add_all(tasks)
        session.flush()
        bulk = Bulk(session)
        done_at = datetime.now(UTC)
        bulk.update(
            db.Task,
            [
                {"id": tasks[0].id, "title": "x", "reason": None, "completed_at": done_at},
                {"id": tasks[1].id, "title": "y", "reason": "no", "completed_at": None},
            ],
        )
        bulk.update(db.Section, [{"id": section.id, "paths": ["b/**"], "setup": None}])
        bulk.write()
    with store.read() as session:
        found = session.exec(select(db.Task).order_by("position")).all()
        changed = session.get_one(db.Section, section.id)
    assert [(row.title, row.reason) for row in found] == [("x", None), ("y", "no"), ("t2", None)]
    assert [row.completed_at for row in found] == [done_at, None, None]
    assert (changed.paths, changed.setup) == (["b/**"], None)
    assert place.run("SELECT name FROM sections WHERE setup IS NULL") == [("API",)]
