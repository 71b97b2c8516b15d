"""Open tasks beside one, on both databases."""

import pytest

from steroids.services import siblings
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from tests.support.stores import Place


def names(found: list[siblings.Sibling]) -> list[str]:
    return [each.title for each in found]


@pytest.fixture
def task(place: Place) -> tuple[Place, str]:
    """Of section A, beside tasks in every state there and in B and C."""
    with place.open("project").write() as session:
        sections = [
            db.Section(name=name, paths=[name], position=10 - n) for n, name in enumerate("ABC")
        ]
        session.add_all(sections)
        session.flush()
        mine = db.Task(title="mine", section_id=sections[0].id, position=0, status="in_progress")
        session.add(mine)
        position = 1
        for section in sections:
            for status in ("pending", "blocked", "review", "completed", "failed", "skipped"):
                for number in range(5):
                    session.add(
                        db.Task(
                            title=f"{section.name} {status} {number}",
                            section_id=section.id,
                            position=position,
                            # The later ones come first in working order.
                            priority=50 - number,
                            status=status,
                            removed_at=utc_now() if number == 4 else None,
                        )
                    )
                    position += 1
        return place, mine.id


def test_its_own_and_those_of_others_in_working_order(task: tuple[Place, str]) -> None:
    place, mine = task
    with place.open("project").read() as session:
        found = siblings.of(session, session.get_one(db.Task, mine))
    expected = [f"A {s} {n}" for s in ("review", "pending", "blocked") for n in (3, 2, 1, 0)]
    assert names(found.own) == expected
    in_hand = [f"{name} review {n}" for n in (3, 2, 1, 0) for name in "BC"]
    waiting = [f"{name} pending {n}" for name in "CB" for n in (3, 2, 1)]
    assert names(found.others) == in_hand + waiting
    assert not found.more
    assert {each.section for each in found.own} == {"A"}


def test_of_many_there_are_more(task: tuple[Place, str], monkeypatch: pytest.MonkeyPatch) -> None:
    place, mine = task
    monkeypatch.setattr(siblings, "MAX_OWN", 3)
    with place.open("project").read() as session:
        found = siblings.of(session, session.get_one(db.Task, mine))
    assert (len(found.own), found.more) == (3, True)
