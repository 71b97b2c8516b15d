import threading
from collections.abc import Sequence

import pytest

from steroids.services.desk import Desk


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
