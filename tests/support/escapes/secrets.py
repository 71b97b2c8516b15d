"""The runner's token and its memory, and whatever would open a door elsewhere."""

import ctypes
import os
import re
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.support.escapes.attempts import (
    GotOut,
    Targets,
    attempt,
    owner,
    reads,
    refused,
    strangers,
    system,
)
from tests.support.escapes.running import run

SOCKET = "/run/steroids/controller.sock"
PLACES = ("/run/steroids", "/var/lib/steroids")
_PTRACE_ATTACH, _PTRACE_SEIZE = 16, 0x4206


@attempt("read the token, in the folders where it is handed over")
def token_file(targets: Targets) -> str:
    names = {"token"}
    for place in PLACES:
        with suppress(PermissionError):
            names |= {each.name for each in Path(place).iterdir()}
    return refused(*(reads(f"{place}/{name}") for place in PLACES for name in names))


@attempt("have the controller answer on its socket, without a token")
def controllers_socket(targets: Targets) -> str:
    assert Path(SOCKET).parent.is_dir(), "there is no folder to try"

    def call(request: str, token: str = "") -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(SOCKET)
            length = "Content-Length: 2\r\nContent-Type: application/json"
            client.sendall(f"{request} HTTP/1.0\r\n{token}{length}\r\n\r\n{{}}".encode())
            return client.recv(1000).decode().partition("\r\n")[0]

    try:
        answers = {
            *(call("POST /v1/claim"), call("POST /v1/claim", "Authorization: Bearer x\r\n")),
            *(
                call("GET /v1/bundle?want=main"),
                call("POST /v1/heartbeat"),
                call("POST /v1/events"),
            ),
            *(call("GET /v1/projects"), call("POST /v1/database"), call("GET /openapi.json")),
        }
    except PermissionError as error:
        return str(error)
    # Where root inside is not the controller's own user, no mode of a file tells the two apart.
    refusals = ("400 Bad Request", "401 Unauthorized", "404 Not Found")
    if any(not answer.endswith(refusals) for answer in answers):
        raise GotOut(f"it has answered {answers}")
    return f"connected, and was told {', '.join(sorted(answers))}"


@attempt("read environment, memory, open files and folders of the runner's processes in /proc")
def runner_in_proc(targets: Targets) -> str:
    names = ("environ", "mem", "maps", "auxv", "stack", "io", "syscall", "pagemap", "smaps")
    folders = ("fd", "map_files", "fdinfo")
    links = ("exe", "cwd", "root", "ns/mnt", "ns/pid", "ns/net")
    pids = list(strangers())
    assert 1 in pids and len(pids) >= 2, "tini and the loop are to be seen"
    calls: list[Callable[[], object]] = []
    for pid in pids:
        for task in (f"/proc/{pid}", f"/proc/{pid}/task/{pid}"):
            calls += [reads(f"{task}/{name}") for name in names]
            calls += [partial(os.listdir, f"{task}/{name}") for name in folders]
            calls += [partial(os.readlink, f"{task}/{name}") for name in links]
    return refused(*calls)


@attempt("find a token among the arguments of the runner's processes, which all may read")
def command_lines(targets: Targets) -> str:
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in strangers()]
    found = [word for line in lines for word in re.findall(r"[\w-]{32,}", line)]
    if found:
        raise GotOut(f"these look like one: {found}")
    return f"{len(lines)} processes, no such word"


@attempt("attach to the runner's processes, read their memory, take their open files")
def debugging(targets: Targets) -> str:
    buffer = ctypes.create_string_buffer(64)
    vector = ctypes.create_string_buffer(bytes(_pair(ctypes.addressof(buffer), 64)))
    calls: list[Callable[[], object]] = []
    for pid in strangers():
        calls += [
            system("ptrace", _PTRACE_ATTACH, pid, 0, 0),
            system("ptrace", _PTRACE_SEIZE, pid, 0, 0),
            system("process_vm_readv", pid, vector, 1, vector, 1, 0),
            partial(_stolen, pid),
        ]
    return refused(*calls)


def _pair(address: int, size: int) -> bytes:
    return address.to_bytes(8, "little") + size.to_bytes(8, "little")


def _stolen(pid: int) -> object:
    """The first file of the process that can be taken."""
    process = os.pidfd_open(pid)
    for number in range(64):
        try:
            return system("pidfd_getfd", process, number, 0)()
        except OSError as error:
            if error.strerror != "Bad file descriptor":
                raise
    raise OSError("it has no file")


@attempt("send signals to the runner's processes")
def signals(targets: Targets) -> str:
    return refused(*(partial(os.kill, pid, signal.SIGURG) for pid in strangers()))


@attempt("find a secret of the user's, of their environment or their home, in any file")
def users_secrets(targets: Targets) -> str:
    word = "".join(targets.secret)
    assert len(word) > 20
    if word in os.environ.values():
        raise GotOut("it is in the environment")
    own = Path.home() / "planted"
    own.write_text(word)
    where = ["-uuu", "--one-file-system", "--files-with-matches", "--fixed-strings", word]
    skip = [f"--glob=!{path}/**" for path in ("/proc", "/sys")]
    found = run("rg", *where, *skip, "/").out.splitlines()
    own.unlink()
    if found != [str(own)]:
        raise GotOut(f"it is in {found}, and was to be found in {own} alone")
    return "found nowhere but where this attempt had put it"


FILES = (
    *(".git-credentials", ".netrc", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".ssh", ".aws"),
    *(".azure", ".config/gcloud", ".config/gh", ".config/git/credentials", ".docker", ".kube"),
    *(".gnupg", ".cargo/credentials.toml"),
)


@attempt("find credentials: for git, SSH, registries, clouds")
def credentials(targets: Targets) -> str:
    homes = (str(Path.home()), "/root", "/workspace")
    refused(*(partial(os.lstat, f"{home}/{name}") for home in homes for name in FILES))
    names = re.compile(
        r"TOKEN|SECRET|PASSW|CREDENTIAL|AUTH(?!OR)|ACCESS_KEY|DOCKER_HOST", re.IGNORECASE
    )
    named = [name for name in os.environ if names.search(name) and name not in targets.variables]
    npm = [line for line in run("npm", "config", "ls").out.splitlines() if "_auth" in line]
    helpers = run("git", "config", "--get-all", "credential.helper").out
    remotes = run("git", "remote", "-v").out
    found = [*named, *npm, *filter(None, (helpers, remotes))]
    if found:
        raise GotOut(f"found {found}")
    question = "protocol=https\nhost=example.org\n\n"
    asked = run("git", "credential", "fill", stdin=question, GIT_TERMINAL_PROMPT="0")
    if asked.ok:
        raise GotOut(f"git has answered {asked.out}")
    return asked.err.splitlines()[-1]


@attempt("find anything in its environment that it was not given")
def environment(targets: Targets) -> str:
    # Of the first process that is the agent's, before shells add to it: PWD and their like.
    names = {*os.environ} - {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}
    assert "PATH" in targets.variables
    if names != set(targets.variables):
        more, less = names - set(targets.variables), set(targets.variables) - names
        raise GotOut(f"beside what it was given: {sorted(more)}; missing: {sorted(less)}")
    return f"{len(names)} variables"


@attempt("this much is allowed: environment and memory of a process of its own")
def control_own_process(targets: Targets) -> str:
    pid = os.fork()
    if pid == 0:
        signal.pause()
    try:
        for name in ("environ", "maps"):
            reads(f"/proc/{pid}/{name}")()
        assert owner(pid) == os.getuid()
        os.kill(pid, signal.SIGURG)
        system("ptrace", _PTRACE_ATTACH, pid, 0, 0)()
    finally:
        os.kill(pid, signal.SIGKILL)
    return "as it is to be"
