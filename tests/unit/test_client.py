"""The client against servers that answer well, badly and not at all."""

import io
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from steroids.client import Client, Listener, short_path
from steroids.errors import ControllerUnavailable, SteroidsError
from steroids.wire.body import Body
from steroids.wire.error import RemoteError

Serve = Callable[[bytes], tuple[Client, list[bytes]]]


class Word(Body):
    a_word: str


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A server that answers one request with these bytes, and keeps what it was asked."""
    threads = []

    def start(answer: bytes) -> tuple[Client, list[bytes]]:
        path, asked = tmp_path / "s.sock", list[bytes]()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()

        def once() -> None:
            with listener, listener.accept()[0] as connection:
                request = connection.recv(65_536)
                head, _, body = request.partition(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length:")[1].split()[0])
                while len(body) < size:
                    body += connection.recv(65_536)
                asked.append(head + b"\r\n\r\n" + body)
                connection.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        threads.append(thread)
        return Client(path, timeout_s=5), asked

    yield start
    for thread in threads:
        thread.join(10)


def answer(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body


def test_a_call_is_json_both_ways(serve: Serve) -> None:
    client, asked = serve(answer(b'{"aWord": "yes"}'))
    assert client.post("/v1/x?y=1", Word(a_word="hi"), Word).a_word == "yes"
    assert asked[0].startswith(b"POST /v1/x?y=1 HTTP/1.0\r\n")
    assert asked[0].endswith(b'{"aWord":"hi"}')


def test_an_error_comes_back_as_what_it_was(serve: Serve) -> None:
    raw = b'{"error": "busy", "code": "SECTION_BUSY", "hint": "ps", "exitCode": 6}'
    client, _ = serve(answer(raw, "409 Conflict"))
    with pytest.raises(RemoteError) as caught:
        client.get("/v1/x", Word)
    error = caught.value
    assert (error.code, error.exit_code, error.hint, error.message) == (
        "SECTION_BUSY",
        6,
        "ps",
        "busy",
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"SSH-2.0-x 1\r\n",
        answer(b'{"aWord"', length=400),
        answer(b'{"aWord": 3}'),
        answer(b"\xff\xfe"),
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    ],
)
def test_whatever_is_no_answer_is_one_clear_error(serve: Serve, raw: bytes) -> None:
    client, _ = serve(raw)
    with pytest.raises(ControllerUnavailable, match="does not answer") as caught:
        client.get("/v1/x", Word)
    assert caught.value.hint == "steroids daemon status"


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(ControllerUnavailable):
        Client(tmp_path / "none.sock").get("/v1/x", Word)


def test_a_stream_ends_with_its_last_whole_line(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    client, _ = serve(head + b'{"aWord": "a"}\n\n{"aWord": "b"}\n{"aWord": "cut o')
    assert [each.a_word for each in client.stream("/v1/x", Word)] == ["a", "b"]


def test_a_download_that_is_cut_off_is_no_download(serve: Serve) -> None:
    client, _ = serve(answer(b"half", length=8))
    with pytest.raises(ControllerUnavailable, match="cut off"):
        client.download("/v1/x", io.BytesIO())


def test_there_may_be_nothing_to_download(serve: Serve) -> None:
    client, _ = serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert client.download("/v1/x", io.BytesIO()) is False


def test_a_file_is_uploaded_whole(serve: Serve) -> None:
    client, asked = serve(answer(b"{}"))
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 300_000)
        file.flush()
        file.seek(0)
        client.upload("/v1/bundle", file)
    assert asked[0].partition(b"\r\n\r\n")[2] == b"x" * 300_000


def test_what_the_caller_fails_at_is_the_callers(serve: Serve) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    client, _ = serve(answer(b"data"))
    with pytest.raises(OSError, match="No space left"):
        client.download("/v1/x", Full())


def test_a_socket_in_a_deep_folder_is_reached(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    deep.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener, short_path(deep / "s.sock") as address:
        listener.bind(address)
        listener.listen()
        with socket.socket(socket.AF_UNIX) as client, short_path(deep / "s.sock") as again:
            client.connect(again)


def test_a_controller_that_has_just_gone_is_found_again(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    starts = []

    def before() -> None:
        # The first two times somebody ends just after he was found.
        starts.append(path.exists())
        if len(starts) == 2:
            path.unlink()
        if len(starts) == 3:
            serve(answer(b'{"aWord": "yes"}'))

    assert Client(path, timeout_s=5, before=before).get("/v1/x", Word).a_word == "yes"
    assert starts == [True, True, False]


def test_what_may_have_been_heard_is_never_said_twice(serve: Serve, tmp_path: Path) -> None:
    _, asked = serve(b"")
    starts = []
    client = Client(tmp_path / "s.sock", timeout_s=5, before=lambda: starts.append(1))
    with pytest.raises(ControllerUnavailable):
        client.post("/v1/x", Word(a_word="once"), Word)
    assert len(asked) == len(starts) == 1


def test_a_version_is_heard_with_answers_and_with_errors(serve: Serve, tmp_path: Path) -> None:
    class Ears(Listener):
        def __init__(self) -> None:
            self.said: list[str | None] = []

        def heard(self, version: str | None) -> None:
            self.said.append(version)

    ears = Ears()
    client = Client(tmp_path / "s.sock", timeout_s=5, listener=ears)
    for status in ("200 OK", "404 Not Found"):
        serve(b"HTTP/1.1 " + status.encode() + b"\r\nX-Steroids-Version: 7.1\r\n\r\n{}")
        with pytest.raises(SteroidsError):
            client.get("/v1/x", Word)
        (tmp_path / "s.sock").unlink()
    serve(answer(b"{}"))
    with pytest.raises(ControllerUnavailable):
        client.get("/v1/x", Word)
    assert ears.said == ["7.1", "7.1", None]
