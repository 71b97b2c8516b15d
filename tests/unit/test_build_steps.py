"""A builder's output in words."""

from pathlib import Path

import pytest

from steroids.errors import EngineError
from steroids.provisioning.build_steps import BuildSteps, in_words


@pytest.mark.parametrize(
    ("instruction", "rest", "words"),
    [
        ("RUN", "sh /opt/steroids/setup/packages.sh && x", "Debian packages, npm, the user agent"),
        ("RUN", "sh /opt/steroids/setup/compile.sh", "Steroids itself"),
        ("FROM", "debian:trixie AS dev", "base debian:trixie AS dev"),
        ("run", "apt-get   update", "apt-get update"),
        ("RUN", "x" * 80, "x" * 57 + "..."),
        ("COPY", "a b /app/", "files for /app/"),
        ("ADD", "", "files"),
        ("ENV", "SECRET=x", "env"),
    ],
)
def test_an_instruction_in_words(instruction: str, rest: str, words: str) -> None:
    assert in_words(instruction, rest) == words


def test_lines_come_with_their_step_and_without_noise(tmp_path: Path) -> None:
    said: list[str] = []
    log = tmp_path / "logs" / "image.log"
    with BuildSteps(log, said.append) as steps:
        for line in (
            "Pulling",
            "Step 1/3 : FROM debian",
            " ---> 0123456789ab",
            "[1/2] STEP 2/3: RUN make all",
            "\x1b[91mmade\x1b[0m",
            "Removing intermediate container 0123456789ab",
        ):
            steps.line(line)
    assert said == ["Pulling", "1/3 base debian", "2/3 make all", "2/3 make all: made"]
    assert log.read_text().splitlines()[-2:] == [
        "made",
        "Removing intermediate container 0123456789ab",
    ]


def test_what_our_scripts_say_is_the_error_and_the_log_is_named(tmp_path: Path) -> None:
    log = tmp_path / "image.log"
    with pytest.raises(EngineError) as caught, BuildSteps(log, print) as steps:
        steps.line("steroids: the base image has no apt-get")
        raise EngineError("exit code 1", details={"tail": "x"})
    assert caught.value.message == "The base image has no apt-get"
    assert caught.value.hint == f"less {log}"
    tail = "steroids: the base image has no apt-get"
    assert caught.value.details == {"tail": tail, "log": str(log)}


@pytest.mark.parametrize(
    "message",
    [
        "The command '/bin/sh -c a page of it' returned a non-zero code: 3",
        'building at STEP "RUN a page of it": while running runtime: exit status 3',
    ],
)
def test_a_command_that_fails_is_told_with_its_step_and_what_that_printed(
    message: str, tmp_path: Path
) -> None:
    with pytest.raises(EngineError) as caught, BuildSteps(tmp_path / "log", print) as steps:
        steps.line("Step 1/2 : FROM x")
        steps.line("long ago")
        steps.line("Step 2/2 : RUN make all")
        steps.line(" ---> Running in 0123456789ab")
        steps.line("no rule")
        raise EngineError(message, details={"tail": "all of it"})
    assert caught.value.message == "The image could not be built: step 2/2 make all exited 3"
    assert caught.value.details["tail"] == "no rule"


def test_an_image_s_own_wishes_are_told_apart_from_ours(tmp_path: Path) -> None:
    log = tmp_path / "image.log"
    with pytest.raises(EngineError, match="ONBUILD") as caught, BuildSteps(log, print) as steps:
        steps.line("Step 1/3 : FROM mine")
        steps.line("# Executing 1 build trigger")
        raise EngineError("COPY failed: no such file", details={"tail": "x"})
    assert "COPY failed: no such file" in caught.value.message
