"""A command and a controller of different versions, both ways."""

from steroids import __version__
from tests.support.controllers import of_version
from tests.support.story_cli import Cli

FORGETS = """
from steroids.controller import listening
whole = listening.user_app
def part(controller):
    app = whole(controller)
    async def forgetful(scope, receive, send):
        path = scope["path"].replace("/v1/doctor", "/v1/unknown")
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)
    return forgetful
listening.user_app = part
"""
"""A controller that does not have a route which a command asks for."""
OTHER_ANSWERS = """
from steroids.controller.routes import daemon
daemon.Findings = lambda findings: {"findings": 3}
"""
"""A controller that answers with something else than a command waits for."""


def test_a_command_says_once_that_the_controller_is_of_another_version(desk: Cli) -> None:
    for version, which in (("0.0.9", "older than"), ("99.0", "newer than")):
        with of_version(desk, version):
            shown = desk.run("config", "show")
            assert shown.code == 0 and "idle_exit_s" in shown.out
            assert shown.err.splitlines() == [
                f"note: the running controller ({version}) is {which} this command ({__version__})",
                "hint: steroids daemon restart   (runners go on working)",
            ]
            told = desk.run("daemon", "status", "--json")
            assert told.json["daemon"]["version"] == version and which in told.err
            assert desk.run("config", "show", "--quiet").err == ""
            assert desk.run("daemon", "restart", "--json").json["daemon"]["version"] == __version__
            assert desk.run("config", "show").err == ""
            desk.run("daemon", "stop")


def test_what_fails_because_of_it_says_so(desk: Cli) -> None:
    for also, why in (
        (FORGETS, "it does not know what this command asked for"),
        (OTHER_ANSWERS, "it answered what this command cannot read"),
    ):
        with of_version(desk, "99.0", also):
            shown = desk.run("doctor")
            assert shown.code == 1
            error, hint = shown.err.splitlines()[-2:]
            assert error == (
                f"error: The running controller (99.0) is newer than this command ({__version__}):"
                f" {why}"
            )
            assert hint == "hint: steroids daemon restart   (runners go on working)"
            told = desk.run("doctor", "--json")
            assert told.json["code"] == "VERSION_SKEW" and told.json["cause"]
        with of_version(desk, __version__, also):
            # Nothing to blame on versions then.
            assert "version" not in desk.run("doctor").err


def test_what_fails_for_another_reason_is_not_blamed_on_it(desk: Cli) -> None:
    with of_version(desk, "99.0"):
        told = desk.run("--project", "/nowhere", "ps", "--json")
        assert (told.code, told.json["code"]) == (3, "NOT_A_PROJECT")
        assert "99.0" not in told.err
        told = desk.run("init", "--json")
        assert (told.code, told.json["code"]) == (3, "NOT_A_PROJECT")
        assert "99.0" in told.err
