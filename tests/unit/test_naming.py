import pytest

from steroids.errors import Ambiguous, NotFound
from steroids.services.naming import find

THINGS = [("a1b2c3d4e5", "API"), ("a1ffffffff", "Mobile"), ("00aa11bb22", "a1b2c3d4e5x")]


def look(word: str) -> str:
    return find("section", word, THINGS, lambda thing: thing[0], lambda thing: thing[1])[1]


def test_by_id_name_other_case_and_unique_prefix() -> None:
    assert look("a1b2c3d4e5") == "API"
    assert look("Mobile") == "Mobile"
    assert look("mobile") == "Mobile"
    assert look("a1f") == "Mobile"


def test_an_ambiguous_prefix_lists_the_candidates() -> None:
    with pytest.raises(Ambiguous) as caught:
        look("a1")
    assert caught.value.exit_code == 4
    assert caught.value.details["candidates"] == ["a1b2c3d4e5", "a1ffffffff"]
    assert "API" in caught.value.message and "Mobile" in caught.value.message


@pytest.mark.parametrize("word", ["zzz", "", "%"])
def test_an_unknown_word_is_not_found(word: str) -> None:
    with pytest.raises(NotFound, match="No section"):
        look(word)
