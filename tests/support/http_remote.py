"""A git remote over HTTP on loopback, which a test can take away, slow down, and have refuse.

Behind it is `git http-backend`; so hooks and settings of the bare repository count as they do on a
real server. What is refused here is what a server or a proxy in front of git says.
"""

import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET, SO_REUSEPORT, SOCK_STREAM, SOL_SOCKET, socket
from urllib.parse import parse_qs, urlsplit

from steroids import proc

FETCH, PUSH = "git-upload-pack", "git-receive-pack"
"""The two services of a git server. Each begins with a GET that asks what is there."""
HOST = "127.0.0.1"
LIMIT_S = 120.0
"""For a request that is held: only a failing test ever waits this long."""


@dataclass
class Refusal:
    """What requests get in place of git's answer."""

    service: str | None
    """None: both."""
    status: int
    times: int | None
    """None: until it is taken back."""
    after: bool = False
    """Git has done what it was asked to, and the line breaks: there is no answer at all."""


@dataclass
class Hold:
    """The next request of its kind stands still, from `reached` until `release`."""

    service: str
    method: str
    after_push: bool
    """Only once a push has come through since."""
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self.released.set()


class HttpRemote:
    """Serves one bare repository until `close`."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.answers: Counter[tuple[str, int]] = Counter()
        """How often which service was answered with which status."""
        self.slow_s = 0.0
        """How long each request waits before it is looked at."""
        self._guard = threading.Lock()  # guards what is asked of the two below
        self._refusals: list[Refusal] = []
        self._holds: list[Hold] = []
        # Bound and never listening: the port stays this remote's while nobody serves it.
        self._reserved = socket(AF_INET, SOCK_STREAM)
        self._reserved.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        self._reserved.bind((HOST, 0))
        self.port: int = self._reserved.getsockname()[1]
        self._server: _Server | None = None
        self.back()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/{self.repository.name}"

    def away(self) -> None:
        """Connections are refused from here on, until `back`."""
        if self._server is not None:
            self._server.end()
        self._server = None

    def back(self) -> None:
        if self._server is None:
            self._server = _Server(self)

    def close(self) -> None:
        for hold in self._holds:
            hold.release()
        self.away()
        self._reserved.close()

    def refuse(self, status: int, service: str | None = None, times: int | None = None) -> None:
        """Answer with `status`: so often, or until `allow`."""
        with self._guard:
            self._refusals.append(Refusal(service, status, times))

    def lose_answers(self, service: str, times: int) -> None:
        """Have git do what it is asked to with a POST, so often, and break the line."""
        with self._guard:
            self._refusals.append(Refusal(service, 0, times, after=True))

    def allow(self) -> None:
        """Answer as git does again."""
        with self._guard:
            self._refusals.clear()

    @contextmanager
    def held(
        self, service: str, method: str = "GET", *, after_push: bool = False
    ) -> Iterator[Hold]:
        """Have the next such request stand still; it goes on at the latest when this is left."""
        hold = Hold(service, method, after_push)
        with self._guard:
            self._holds.append(hold)
        try:
            yield hold
        finally:
            hold.release()
            with self._guard:
                if hold in self._holds:
                    self._holds.remove(hold)

    def refusal(self, service: str, *, after: bool = False) -> Refusal | None:
        """What this request is to get, counted."""
        with self._guard:
            for each in self._refusals:
                fits = each.service in (None, service) and each.after == after
                if fits and each.times != 0:
                    each.times = None if each.times is None else each.times - 1
                    return each
        return None

    def hold(self, service: str, method: str) -> None:
        """Stand still here when somebody asked for it."""
        with self._guard:
            fitting = (h for h in self._holds if (h.service, h.method) == (service, method))
            hold = next((h for h in fitting if not h.after_push), None)
            if hold is not None:
                self._holds.remove(hold)
        if hold is not None:
            hold.reached.set()
            hold.released.wait(LIMIT_S)

    def answered(self, service: str, method: str, status: int) -> None:
        with self._guard:
            self.answers[service, status] += 1
            if (service, method, status) == (PUSH, "POST", 200):
                for hold in self._holds:
                    hold.after_push = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = True

    def __init__(self, remote: HttpRemote) -> None:
        self.remote = remote
        super().__init__((HOST, remote.port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One request; a connection is not used for another."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests look at what is counted."""

    def _serve(self) -> None:
        remote = self.server.remote
        self.close_connection = True
        asked = urlsplit(self.path)
        service = parse_qs(asked.query).get("service", [asked.path.rpartition("/")[2]])[0]
        body = self._body()
        threading.Event().wait(remote.slow_s)
        remote.hold(service, self.command)
        refusal = remote.refusal(service)
        if refusal is not None:
            self._answer(refusal.status, [("Content-Type", "text/plain")], b"not now")
            remote.answered(service, self.command, refusal.status)
            return
        status, headers, content = self._git(asked.path, asked.query, body)
        # Counted first: who has the answer may ask for the count.
        remote.answered(service, self.command, status)
        if self.command == "GET" or remote.refusal(service, after=True) is None:
            self._answer(status, headers, content)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        else:
            raw = b"".join(self._chunks())
        if self.headers.get("Content-Encoding") == "gzip":
            raw = zlib.decompress(raw, wbits=zlib.MAX_WBITS | 16)
        return raw

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _git(self, path: str, query: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.server.remote.repository.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            # Without a name nobody may push.
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": HOST,
        }
        done = proc.run(["git", "http-backend"], env=env, stdin=body, timeout_s=LIMIT_S)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        headers = [(name, value) for name, _, value in lines]
        said = dict(headers).get("Status", "200 OK" if done.ok else "500 Internal Server Error")
        return int(said.split()[0]), [h for h in headers if h[0] != "Status"], content

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            """Who asked has been killed."""
