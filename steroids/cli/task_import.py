import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.options import section_option
from steroids.cli.output import count, plain
from steroids.cli.task_add import read_text
from steroids.wire.body import to_builtins
from steroids.wire.task import Imported, Sheet, TaskImport

FORMATS = [each.value for each in Sheet]
TIMEOUT_S = 300


@click.command("import", cls=Command)
@click.argument("file", metavar="FILE")
@section_option("Of tasks for which the file names none.")
@click.option("--format", "sheet", type=click.Choice(FORMATS), help="Default: seen from the file.")
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@pass_context
def import_(
    context: Context, file: str, section: str | None, sheet: str | None, dry_run: bool
) -> None:
    """Add the tasks of a Markdown checklist, or of YAML; - for standard input.

    What is there already is left out, so a file can be imported again.
    """
    body = TaskImport(
        name=file if file != "-" else "(standard input)",
        text=read_text(file, "FILE"),
        sheet=Sheet(sheet) if sheet else None,
        section=section,
        dry_run=dry_run,
    )
    url = context.url("tasks/import")
    answer = context.client.post(url, body, Imported, timeout_s=TIMEOUT_S)
    if context.out.json:
        context.out.result({**to_builtins(answer), **({"dryRun": True} if dry_run else {})})
        return
    _tell(context, answer, dry_run)


def _tell(context: Context, answer: Imported, dry_run: bool) -> None:
    verb = "would add" if dry_run else "added"
    for task in answer.tasks:
        waits = f"  waits for {plain(task.waits_for)}" if task.waits_for else ""
        shown = "" if dry_run else f" {task.id[:8]} "
        print(f"{verb}{shown} {plain(task.title)}  in {plain(task.section)}{waits}")
    for out in answer.left_out:
        at = f"  {out.task_id[:8]}" if out.task_id else ""
        context.out.note(f"left out '{out.title}' in {out.section}: {out.reason}{at}")
    told = [f"{verb} {count(len(answer.tasks), 'task')}"]
    if answer.left_out:
        told.append(f"left out {len(answer.left_out)}")
    if answer.done:
        told.append(f"{answer.done} ticked off in the file")
    context.out.note(", ".join(told))
    if answer.tasks and not dry_run:
        context.out.note("next: steroids up")
