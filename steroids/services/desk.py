"""Where the runners of a project ask for work: whoever is served first serves all who wait.

Thirty-two runners that ask at once cost one transaction and not thirty-two. The way is flat
combining (Hendler, Incze, Shavit, Tzafrir, SPAA 2010): requests are put down in a list, and the
one who gets the lock answers the whole list.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class _Request(Generic[Q, A]):
    def __init__(self, question: Q) -> None:
        self.question = question
        self.over = False
        self.answer: A | None = None
        self.failure: BaseException | None = None


class Desk(Generic[Q, A]):
    """May be used from any number of threads."""

    def __init__(self) -> None:
        self._serving = threading.Lock()  # held by whoever answers
        self._guard = threading.Lock()  # guards the list
        self._waiting: list[_Request[Q, A]] = []

    @property
    def waiting(self) -> int:
        """How many questions nobody has taken up yet."""
        with self._guard:
            return len(self._waiting)

    def ask(self, question: Q, serve: Callable[[Sequence[Q]], Sequence[A]]) -> A:
        """The answer to this question; `serve` answers all that wait, in their order.

        What `serve` raises is raised to each of those whom it was to answer.
        """
        request: _Request[Q, A] = _Request(question)
        with self._guard:
            self._waiting.append(request)
        with self._serving:
            if not request.over:
                self._serve(serve)
        if request.failure is not None:
            raise request.failure
        assert request.answer is not None
        return request.answer

    def _serve(self, serve: Callable[[Sequence[Q]], Sequence[A]]) -> None:
        with self._guard:
            batch, self._waiting = self._waiting, []
        try:
            answers = serve([request.question for request in batch])
            for request, answer in list(zip(batch, answers, strict=True)):
                request.answer = answer
        except Exception as error:  # noqa: BLE001 - it is raised again, to each of them
            for request in batch:
                request.failure = error
        finally:
            for request in batch:
                request.over = True
