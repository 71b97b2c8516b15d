"""`steroids loop --dry-run`: which task would be picked, and why those before it would not."""

from steroids.cli.columns import fit
from steroids.cli.command import Context
from steroids.cli.output import count, escape
from steroids.wire.body import to_builtins
from steroids.wire.next import Next, Passed

TITLE, WHY = "TITLE", "WHY NOT"


def show(context: Context, section: str | None) -> int:
    """Print it; returns 0, also when there is none."""
    answer = context.client.get(context.url("next", section=section), Next)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return 0
    if answer.passed:
        _table(context, answer.passed)
    picked = answer.picked
    if picked is not None:
        what = f"would pick {picked.id[:8]}  {picked.section}  '{picked.title}'"
        context.out.line(escape(f"{what}  attempt {picked.attempt}"))
        if answer.more:
            context.out.note(f"{count(answer.more, 'task')} after it")
    else:
        context.out.line("would pick no task" + (", as things are" if answer.passed else ""))
        if answer.more:
            context.out.note(f"{count(answer.more, 'task')} more not shown")
        if not answer.passed:
            context.out.note("hint: steroids tasks add --help")
    if answer.refused is not None:
        context.out.note(f"note: it would be refused now: {answer.refused}")
    return 0


def _table(context: Context, passed: list[Passed]) -> None:
    heads = ["ID", "STATUS", "SECTION", TITLE, WHY]
    rows = [[t.id[:8], t.status, t.section, t.title, t.reason or ""] for t in passed]
    fit(heads, rows, TITLE, WHY)
    context.out.table(heads, rows)
