"""Installing wakeups: a crontab's other lines, units that systemd reads, a plist. What is made is
run by a real shell, as cron would."""

import os
import plistlib
import shutil
import sys
from pathlib import Path

import pytest

from steroids import proc
from steroids.cli import cron_crontab, cron_launchd, cron_schedule, cron_systemd
from steroids.cli.cron_job import Job, job
from steroids.cli.wakeup import LOG_BYTES, _keep_small
from steroids.errors import UsageError

# As the real one, but for where it keeps the table.
CRONTAB = """#!/bin/sh
case "$1" in
-l) [ -e "$0.tab" ] || { echo "no crontab for you" >&2; exit 1; }; cat "$0.tab" ;;
-) cat > "$0.tab" ;;
esac
"""
OTHERS = [
    b"",
    b"# a comment of mine\n",
    b"\n\n  */5  *\t* * *  echo 'a  b'   # with a comment  \n",
    b'PATH=/opt/bin\nMAILTO=""\n@reboot date\nthis is no line of cron\n',
    b"* * * * * echo 100\\%\r\n",
    b"# * * * * * old # steroids wakeup of /another/home\n",
    "0 0 * * * echo caf\u00e9\n".encode("latin-1"),
    b"* * * * * no-newline-at-the-end",
]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the crontab of the program in front of all others is kept."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program.with_name("crontab.tab")


def made(home: Path, every: str = "1m", **environ: str) -> Job:
    return job(home, cron_schedule.parse(every), {"PATH": "/usr/bin:/bin", **environ})


@pytest.mark.parametrize("others", OTHERS)
def test_other_lines_stay_byte_for_byte(table: Path, tmp_path: Path, others: bytes) -> None:
    home, elsewhere = tmp_path / "home 100%", tmp_path / "elsewhere"
    if others:
        table.write_bytes(others)
    ended = others if not others or others.endswith(b"\n") else others + b"\n"
    assert cron_crontab.install(made(home)) is True
    assert table.read_bytes() == ended + cron_crontab.shown(made(home)).encode() + b"\n"
    assert cron_crontab.install(made(home)) is False
    cron_crontab.install(made(elsewhere))
    table.write_bytes(table.read_bytes() + b"* * * * * later\n")
    assert cron_crontab.install(made(home, "5m")) is True
    lines = table.read_bytes().removeprefix(ended).splitlines()
    assert [line.split(b" ")[0] for line in lines] == [b"*/5", b"*", b"*"], "each in its place"
    assert cron_crontab.installed(home) == lines[0].decode()
    assert cron_crontab.uninstall(home) is True and cron_crontab.uninstall(home) is False
    assert cron_crontab.installed(elsewhere) is not None
    cron_crontab.uninstall(elsewhere)
    assert table.read_bytes() == ended + b"* * * * * later\n"


def test_what_cron_hands_to_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes `%` a newline unless a backslash is before it, and runs the rest with `sh -c`."""
    home = tmp_path / "it's $HOME 100% #1"
    (home / "logs").mkdir(parents=True)
    python = tmp_path / "a b" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "$@"; pwd; env\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    extra = {"DOCKER_HOST": "tcp://h:1?a=50%", "STEROIDS_ENGINE": "podman", "EDITOR": "vi"}
    line = cron_crontab.shown(made(home, **extra))
    assert line.isprintable() and line.startswith("* * * * * PATH=")
    command = line.removeprefix("* * * * * ")
    assert "%" not in command.replace(r"\%", "")
    argv = ["/bin/sh", "-c", command.replace(r"\%", "%")]
    done = proc.run(argv, cwd="/", env={"HOME": "/nowhere", "SHELL": "/bin/sh"}, timeout_s=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    said = (home / "logs" / "cron.log").read_text().splitlines()
    assert said[:2] == ["-m steroids --quiet runners wakeup", "/"]
    assert f"STEROIDS_HOME={home}" in said and "DOCKER_HOST=tcp://h:1?a=50%" in said
    assert "STEROIDS_ENGINE=podman" in said and "EDITOR=vi" not in said
    assert next(each for each in said if each.startswith("PATH=")).startswith("PATH=/usr/bin:/bin:")


def test_no_password_is_put_where_others_read_it(tmp_path: Path) -> None:
    what = made(
        tmp_path,
        https_proxy="http://me:secret@proxy:1",
        STEROIDS_DATABASE__PASSWORD="secret",
        http_proxy="http://proxy:1",
        STEROIDS_PROJECT="/x",
    )
    assert what.left_out == ("STEROIDS_DATABASE__PASSWORD", "https_proxy")
    assert "secret" not in cron_crontab.shown(what) and "STEROIDS_PROJECT" not in what.env
    assert what.env["http_proxy"] == "http://proxy:1"


def test_a_long_path_is_cut_to_what_is_needed_and_never_by_cron(tmp_path: Path) -> None:
    folders = [tmp_path / f"{number:03}" / ("x" * 60) for number in range(30)]
    for folder in folders:
        folder.mkdir(parents=True)
    git = folders[-1] / "git"
    git.write_text("#!/bin/sh\n")
    git.chmod(0o755)
    line = cron_crontab.shown(made(tmp_path, PATH=":".join(map(str, folders))))
    assert str(folders[-1]) in line and str(folders[0]) not in line and len(line) < 1000
    with pytest.raises(UsageError, match="cron cuts it"):
        cron_crontab.shown(made(tmp_path, DOCKER_HOST="x" * 1000))
    with pytest.raises(UsageError, match="cannot be told"):
        made(tmp_path / "two\nlines")


def test_systemd_reads_what_is_written_for_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    units = tmp_path / "units"
    units.mkdir()
    for every in ("1m", "15m", "1h", "6h", "1d"):
        home = tmp_path / f'it\'s $HOME 100% \\ "{every}"'
        (home / "logs").mkdir(parents=True)
        what = made(home, every, DOCKER_HOST="tcp://$h:1?a=50%")
        for name, text in cron_systemd.units(what).items():
            (units / name).write_text(text)
            assert "%" not in text.replace("%%", ""), "no specifier is meant"
    paths = [str(path) for path in sorted(units.iterdir())]
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    argv = ["systemd-analyze", "verify", "--user", "--man=no", *paths]
    done = proc.run(argv, env=env, timeout_s=60)
    said = [line for line in done.err.splitlines() if "steroids-wakeup" in line]
    assert (len(paths), done.returncode, said) == (10, 0, []), done.err
    calendars = {
        line.removeprefix("OnCalendar=")
        for path in units.glob("*.timer")
        for line in path.read_text().splitlines()
        if line.startswith("OnCalendar=")
    }
    assert len(calendars) == 5
    shown = proc.run(["systemd-analyze", "calendar", *calendars], timeout_s=60)
    assert shown.ok and shown.out.count("Next elapse") == 5, shown.err


def test_launchd_gets_the_same(tmp_path: Path) -> None:
    what = made(tmp_path / "a <home> & more", "5m")
    found = plistlib.loads(cron_launchd.plist(what))
    assert found["ProgramArguments"] == [sys.executable, *what.argv[1:]]
    assert found["EnvironmentVariables"] == what.env and found["StartInterval"] == 300
    assert found["AbandonProcessGroup"] is True and found["StandardOutPath"] == str(what.log)


def test_the_log_is_kept_small_and_its_end_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "cron.log"
    with log.open("ab") as writer:
        for number in range(LOG_BYTES // 10 + 1):
            writer.write(b"line %05d\n" % number)
        writer.flush()
        _keep_small(log)
        writer.write(b"the last\n")
    kept = log.read_bytes().splitlines()
    assert log.stat().st_size <= LOG_BYTES // 2 + 10
    assert kept[-1] == b"the last" and kept[-2] == b"line %05d" % (LOG_BYTES // 10)
    assert len(kept[0]) == len(b"line 00000")
