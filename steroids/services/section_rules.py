"""What a section may be: each rule raises, with a sentence that says which was broken."""

import re
from collections.abc import Iterable, Sequence

from steroids.errors import NotFound, SteroidsError, UsageError
from steroids.scheduling.sections import Related, cycle
from steroids.services.naming import find
from steroids.settings import ImageName, Settings
from steroids.store import project_models as db
from steroids.wire.section import SectionAdd

NAME = re.compile(r"[^\W_][\w .&/-]{0,63}")
PRIORITIES = range(101)
PORTS = range(1, 65_536)
LIST = "steroids sections list"


class DuplicateName(SteroidsError):
    code, exit_code, http_status = "DUPLICATE_NAME", 2, 409


class Cycle(SteroidsError):
    """`details["cycle"]` has the names, the first one again at the end."""

    code, exit_code, http_status = "CYCLE", 2, 409


def name_of(asked: str, others: Iterable[db.Section]) -> str:
    """The name as it is kept. Raises `UsageError`, or `DuplicateName` if one of `others` has it."""
    name = asked.strip()
    if not NAME.fullmatch(name):
        raise UsageError(
            f"'{asked[:80]}' is no name for a section",
            hint="use up to 64 letters, digits, spaces and . & / - _, a letter or digit first",
        )
    if any(row.name.casefold() == name.casefold() for row in others):
        raise DuplicateName(f"There is a section '{name}' already", hint=LIST)
    return name


def check_priority(priority: int) -> None:
    if priority not in PRIORITIES:
        raise UsageError(
            f"{priority} is no priority: 0 is worked on first, 100 last",
            hint="steroids sections priority NAME 50",
        )


def check_commands(what: str, commands: Iterable[str]) -> None:
    for command in commands:
        if not command.strip() or "\0" in command:
            raise UsageError(f"A {what} is a command, not '{command.strip()}'", hint=LIST)


def check_ports(ports: Sequence[int]) -> None:
    for port in ports:
        if port not in PORTS:
            raise UsageError(
                f"{port} is no port: there are 1 to 65535",
                hint="steroids sections edit NAME --port 3000",
            )
    twice = next((port for port in ports if ports.count(port) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Port {twice} is named twice", hint=f"steroids sections edit NAME --port {twice}"
        )


def check_image(image: str | None) -> None:
    if image is not None and not re.fullmatch(ImageName, image):
        raise UsageError(f"'{image}' is no name of an image", hint="steroids images list")


def check_resources(settings: Settings, resources: Iterable[str] | None) -> None:
    """Only what is declared can be taken turns at."""
    for name in resources or ():
        if name not in settings.shared_resources:
            declared = ", ".join(settings.shared_resources) or "none is"
            raise UsageError(
                f"'{name}' is not declared as a shared resource ({declared})",
                hint=f"add it to shared_resources in .steroids/config.yaml: [{name}]",
            )


def ids_of(words: Iterable[str], rows: Sequence[db.Section], own: str, verb: str) -> list[str]:
    """Ids of the sections that are named, each once. `own` is the name of the one that names them.

    Raises `NotFound`, `Ambiguous`, or `Cycle` when it names itself.
    """
    ids = []
    for word in words:
        if word.casefold() == own.casefold():
            raise Cycle(f"{own} cannot {verb} itself", hint=LIST, details={"cycle": [own, own]})
        ids.append(find("section", word, rows, lambda row: row.id, lambda row: row.name).id)
    return list(dict.fromkeys(ids))


def dropped(
    words: Iterable[str], ids: Sequence[str], rows: Sequence[db.Section], own: str, verb: str
) -> list[str]:
    """What is left of `ids`. Raises `NotFound` for a section that is not among them."""
    left = list(ids)
    for word in words:
        row = find("section", word, rows, lambda row: row.id, lambda row: row.name)
        if row.id not in ids:
            raise NotFound(
                f"{own} does not {verb} {row.name}", hint=f"steroids sections show '{own}'"
            )
        left = [each for each in left if each != row.id]
    return left


def refuse_cycle(related: Related, names: dict[str, str], first: str, verb: str) -> None:
    """`first` is the id of the section that was changed, so it is where the way is told from."""
    way = cycle(related)
    if way is None:
        return
    start = way.index(first) if first in way else 0
    told = [names.get(each, each) for each in [*way[start:-1], *way[:start], way[start]]]
    raise Cycle(
        f"Sections would {verb} each other in a circle: {' -> '.join(told)}",
        hint=f"steroids sections show '{told[-2]}'",
        details={"cycle": told},
    )


def check_new(body: SectionAdd, settings: Settings) -> None:
    """What can be said without knowing the other sections."""
    check_priority(body.priority)
    check_commands("check", body.check)
    check_commands("set-up", body.setup or ())
    check_image(body.image)
    check_resources(settings, body.resources)
    check_ports(body.ports)
