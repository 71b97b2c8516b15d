import threading
from collections.abc import Sequence

import pytest

from steroids.services.desk import Desk
from tests.support.engines import eventually


def test_all_who_wait_are_served_together() -> None:
    desk: Desk[int, int] = Desk()
    first_began, go_on = threading.Event(), threading.Event()
    batches: list[list[int]] = []

    def serve(questions: Sequence[int]) -> Sequence[int]:
        batches.append(list(questions))
        if len(batches) == 1:
            first_began.set()
            assert go_on.wait(10)
        return [question * 10 for question in questions]

    answers: dict[int, int] = {}

    def ask(question: int) -> None:
        answers[question] = desk.ask(question, serve)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    threads[0].start()
    assert first_began.wait(10)
    for thread in threads[1:]:
        thread.start()
    # All of them have put their question down: nobody can take it up while the first is served.
    while desk.waiting < 19:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert answers == {number: number * 10 for number in range(20)}
    assert [len(batch) for batch in batches] == [1, 19]


def test_a_failure_is_told_to_each_who_was_to_be_served_and_to_nobody_else() -> None:
    desk: Desk[str, str] = Desk()

    def break_down(questions: Sequence[str]) -> Sequence[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.ask("a", break_down)
    assert desk.ask("b", lambda questions: [each.upper() for each in questions]) == "B"


def test_an_answer_too_few_is_a_failure_and_no_hang() -> None:
    desk: Desk[str, str] = Desk()
    with pytest.raises(ValueError, match="shorter"):
        desk.ask("a", lambda questions: [])


class Slow:
    """Answers as soon as it is told to, and remembers whom it served together."""

    def __init__(self) -> None:
        self.desk: Desk[int, int] = Desk()
        self.batches: list[list[int]] = []
        self.late = False
        self._go_on = threading.Semaphore(0)

    def start(self, question: int) -> threading.Thread:
        thread = threading.Thread(target=self.desk.ask, args=(question, self._serve), daemon=True)
        thread.start()
        return thread

    def go_on(self) -> None:
        self._go_on.release()

    def _serve(self, questions: Sequence[int]) -> Sequence[int]:
        batch = list(questions)
        self.batches.append(batch)
        assert self._go_on.acquire(timeout=10)
        if self.late:
            batch += self.desk.latecomers()
        return batch


def test_who_has_an_answer_waits_for_nobody_who_came_later() -> None:
    slow = Slow()
    threads = [slow.start(0)]
    eventually(lambda: slow.batches == [[0]])
    for number in (1, 2):
        threads.append(slow.start(number))
        eventually(lambda: slow.desk.waiting == len(threads) - 1)
    slow.go_on()
    eventually(lambda: slow.batches == [[0], [1, 2]])
    last = slow.start(3)
    eventually(lambda: slow.desk.waiting == 1)
    slow.go_on()
    eventually(lambda: slow.batches == [[0], [1, 2], [3]])
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert last.is_alive()
    slow.go_on()
    last.join(10)


def test_who_comes_while_the_lock_is_waited_for_is_served_too() -> None:
    slow = Slow()
    slow.late = True
    threads = [slow.start(0)]
    eventually(lambda: slow.batches == [[0]])
    for number in (1, 2):
        threads.append(slow.start(number))
    eventually(lambda: slow.desk.waiting == 2)
    slow.go_on()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert slow.batches == [[0, 1, 2]]
