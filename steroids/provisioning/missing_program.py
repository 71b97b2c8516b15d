"""A set-up whose program is not in the image: which one, and how to have it."""

import re

from steroids.wire.assignment import Result

NOT_FOUND = 127
"""What a shell ends with then."""

PACKAGES = {
    "bundle": "ruby-dev, bundler",
    "cargo": "cargo",
    "cmake": "cmake",
    "composer": "composer",
    "go": "golang-go",
    "gradle": "gradle",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "mix": "elixir",
    "mvn": "maven",
    "php": "php-cli",
    "ruby": "ruby-dev",
    "rustc": "cargo",
}
"""Debian's packages, of programs whose set-up does not bring them."""

# As dash says it and as bash does.
_SAID = re.compile(r"^\S*sh: (?:(?:line )?\d+: )?([\w.+-]+): (?:command )?not found$", re.MULTILINE)


def missing_program(result: Result) -> tuple[str, str] | None:
    """What to say and what to do; none: it failed otherwise."""
    said = _SAID.findall(result.tail) if result.exit_code == NOT_FOUND else []
    if not said:
        return None
    program = said[-1]
    package = PACKAGES.get(program)
    wanted = f"packages: [{package}]" if package else "packages: [...]"
    return (
        f"there is no `{program}` in the runner image",
        f"add `{wanted}` to config.yaml in your Steroids home, or an `image:` that has it "
        "(steroids config show)",
    )
