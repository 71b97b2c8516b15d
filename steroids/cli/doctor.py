import click

from steroids.cli.command import Command, Context, address, pass_context
from steroids.cli.output import escape
from steroids.wire.body import to_builtins
from steroids.wire.daemon import Findings


@click.command(cls=Command)
@pass_context
def doctor(context: Context) -> int:
    """Find what would keep Steroids from working here."""
    project = context.project_if_any()
    answer = context.client.get(address("doctor", project=project), Findings)
    bad = [finding for finding in answer.findings if not finding.ok]
    if context.out.json:
        context.out.result({**to_builtins(answer), "healthy": not bad})
        return 1 if bad else 0
    for finding in answer.findings:
        mark = "[green]ok  [/green]" if finding.ok else "[red]bad [/red]"
        context.out.line(f"{mark}  {finding.name:<13} {escape(finding.detail)}")
        if not finding.ok and finding.hint:
            context.out.line(f"      {'':<13} hint: {escape(finding.hint)}")
    return 1 if bad else 0
