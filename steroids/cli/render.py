"""Events as lines for people: provisioning steps as a column, runs with their section's name."""

import sys
from collections.abc import Sequence

from steroids.cli.glance import shown_port
from steroids.cli.output import Output, Transient, escape, lasting, plain
from steroids.wire.event import Event, EventKind
from steroids.wire.runner import Role

COLORS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta")

MARKS = {
    EventKind.REJECTED: "red",
    EventKind.CONFLICT: "red",
    EventKind.ENDED: "red",
    EventKind.PUSH_REFUSED: "red",
    EventKind.FAILED: "red",
    EventKind.LOST: "red",
    EventKind.AWAITS: "yellow",
    EventKind.LANDED: "green",
    EventKind.DRAINED: "bold",
}


MAX_REASON_LINES = 20


class Renderer:
    """Shows one event after the other. Steps that several sections share are shown once.

    `brief`: of what agents print only the commands (`$ ...`), unless -v asks for all.
    """

    def __init__(self, out: Output, sections: Sequence[str], *, brief: bool = False) -> None:
        self._out = out
        self._width = max([len(name) for name in sections], default=0)
        self._color = {name: COLORS[i % len(COLORS)] for i, name in enumerate(sections)}
        self._brief = brief and not out.verbose
        self._steps: set[str] = set()
        self._transient = Transient()

    def show(self, event: Event, summary: str = "") -> None:
        match event.kind:
            case EventKind.STEP:
                self._step(event)
            case EventKind.PROGRESS:
                self._progress(event)
            case EventKind.FAILED:
                self._failed(event)
            case _:
                self._run(event, summary)

    def _step(self, event: Event) -> None:
        if self._out.quiet:
            return
        step, detail = str(event.data.get("step", "")), str(event.data.get("detail", ""))
        # Sections with a set-up of their own, or a part of the files, have a snapshot each.
        about = f"{step} {detail.partition('  ')[0]}"
        if step in ("engine", "image", "snapshot") and about in self._steps:
            return
        self._steps.add(about)
        self._column(step, detail, float(event.data.get("durationS", 0)))

    def _column(self, step: str, detail: str, took_s: float) -> None:
        self._transient.clear()
        self._out.line(f"{step:<9} {escape(detail):<58} [dim]{lasting(took_s)}[/dim]")

    def _progress(self, event: Event) -> None:
        """A step that takes long: one line that is overwritten, or with -v all of them.

        What set-up runs is always shown, since that is the repository's own doing.
        """
        step, text = str(event.data.get("step") or "set-up"), _cut(plain(event.text))
        if self._out.quiet:
            return
        if self._out.verbose or text.startswith("$ "):
            self._transient.clear()
            print(f"{step:<9} {text}", file=sys.stderr, flush=True)
        elif text.strip():
            self._transient.show(f"{step:<9} {text}")

    def _failed(self, event: Event) -> None:
        self._line(event, event.text)
        for line in str(event.data.get("details", {}).get("tail", "")).splitlines()[-10:]:
            self._line(event, f"  | {line}")
        if event.data.get("hint"):
            self._line(event, f"hint: {event.data['hint']}")

    def _run(self, event: Event, summary: str) -> None:
        task = f"'{event.task}' " if event.task else ""
        match event.kind:
            case EventKind.CLAIMED:
                self._line(event, f"{event.task}  attempt {event.attempt}")
            case EventKind.READY if self._out.quiet:
                pass
            case EventKind.READY:
                detail = f"{(event.runner_id or '')[:8]}  {event.section or 'all sections'}  ready"
                for inside, outside in event.data.get("ports", {}).items():
                    detail += f"  {shown_port(int(inside), outside)}"
                self._column("runner", detail, float(event.data.get("durationS", 0)))
            case EventKind.LOG if event.data.get("role") == Role.REVIEW and not self._out.verbose:
                # When a check fails, the end of this comes with the rejection.
                pass
            case EventKind.LOG if self._brief and not event.text.startswith("$ "):
                pass
            case EventKind.LOG:
                self._line(event, f"  {event.text}")
            case EventKind.COMMIT:
                self._line(event, f"  {str(event.data.get('hash', ''))[:7]} {event.text}")
            case EventKind.REJECTED:
                self._rejected(event, task)
            case EventKind.CONFLICT | EventKind.ENDED | EventKind.PUSH_REFUSED:
                for line in f"{task}{event.text}".splitlines():
                    self._line(event, line)
            case EventKind.SUBMITTED if event.data.get("commits") == 0:
                self._line(event, "  no commits")
            case EventKind.APPROVED if not event.data.get("overridden"):
                # The line before says who did, or `up` said that there is nobody to.
                pass
            case EventKind.APPROVED | EventKind.REVIEWED | EventKind.AWAITS:
                for line in f"{task}{event.text}".splitlines():
                    self._line(event, line)
            case EventKind.LANDED:
                self._line(event, f"{task}{event.text}")
            case EventKind.NOTICE:
                self._line(event, event.text)
                if "limits" in event.data:
                    self._line(event, f"hint: {event.data['hint']}")
                for line in str(event.data.get("tail", "")).splitlines():
                    self._line(event, f"  | {line}")
            case EventKind.DRAINED:
                self._line(event, summary or "drained")
            case _:
                self._line(event, event.text)

    def _rejected(self, event: Event, task: str) -> None:
        """Who, and why: of checks the end of what they printed, of a reviewer all that it says."""
        reviewer, actor = event.data.get("reviewer"), event.data.get("actor")
        by = f" by {actor}" if reviewer not in (None, "checks") else ""
        first, *rest = event.text.splitlines() or [""]
        lines = [line for line in rest if line.strip()]
        self._line(event, f"{task}rejected{by}: {first}")
        for line in lines[-4:] if not by else lines[:MAX_REASON_LINES]:
            self._line(event, f"  | {line}")
        if by and len(lines) > MAX_REASON_LINES:
            self._line(
                event, f"  | ... (all of it: steroids tasks show {(event.task_id or '')[:8]})"
            )

    def _line(self, event: Event, text: str) -> None:
        # A runner without a section works on all of them.
        name = event.section or ("all" if event.runner_id else "-")
        color = self._color.get(name, "white")
        mark = MARKS.get(event.kind)
        shown = escape(_cut(text, 2000))
        if mark:
            shown = f"[{mark}]{shown}[/{mark}]"
        self._transient.clear()
        self._out.line(f"[{color}]{escape(name):<{self._width}}[/{color}]  {shown}")


def _cut(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else f"{text[:limit]} ..."
