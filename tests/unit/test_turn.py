import threading
from functools import partial

import pytest

from steroids.store.turn import Turn
from tests.support.engines import eventually


def test_who_comes_first_is_served_first() -> None:
    turn = Turn()
    served: list[int] = []

    def work(number: int) -> None:
        with turn.taken():
            served.append(number)

    def waiting(count: int) -> bool:
        return turn.waiting == count

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    with turn.taken():
        for number, thread in enumerate(threads):
            thread.start()
            eventually(partial(waiting, number + 1))
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_who_fails_gives_it_back() -> None:
    turn = Turn()
    with pytest.raises(ZeroDivisionError), turn.taken():
        raise ZeroDivisionError
    with turn.taken(), pytest.raises(AssertionError, match="within a write"), turn.taken():
        pass
    with turn.taken():
        assert turn.waiting == 0
