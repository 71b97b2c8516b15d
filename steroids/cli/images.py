from datetime import UTC, datetime

import click

from steroids.cli.command import Context, Group, address, pass_context
from steroids.cli.output import Transient, ago, plain
from steroids.errors import SteroidsError
from steroids.wire.body import to_builtins
from steroids.wire.daemon import BuildLine, ImageLine, ImageLines, ImagesBuild
from steroids.wire.error import RemoteError


@click.group(cls=Group)
def images() -> None:
    """Build and list the images that runners start from."""


@images.command("build")
@click.option("--engine", envvar="STEROIDS_ENGINE", help="auto, docker, podman, or an address.")
@click.option("--base", metavar="IMAGE", help="Build on this image.")
@click.option("--from", "from_image", metavar="IMAGE", help="Make your own image a runner's.")
@click.option("--bootstrap", is_flag=True, help="Make the base from Debian's packages.")
@click.option("--ca-bundle", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.option("--rebuild", is_flag=True, help="Even when it is there, with newer packages.")
@pass_context
def build(
    context: Context,
    engine: str | None,
    base: str | None,
    from_image: str | None,
    bootstrap: bool,
    ca_bundle: str | None,
    rebuild: bool,
) -> None:
    """Build the runner image; quick when it is there."""
    body = ImagesBuild(
        engine=engine,
        base=base,
        bootstrap=bootstrap,
        ca_bundle=ca_bundle,
        from_image=from_image,
        rebuild=rebuild,
    )
    made: ImageLine | None = None
    transient = Transient()
    for line in context.builder.stream("/v1/images", BuildLine, method="POST", body=body):
        if line.failure is not None:
            raise RemoteError(line.failure, 500)
        if line.progress and context.out.verbose:
            context.out.note(f"  {line.progress}")
        elif line.progress and not context.out.quiet:
            transient.show(f"image     {plain(line.progress)}")
        made = line.image or made
    transient.clear()
    if made is None:
        raise SteroidsError("The build ended without an answer", hint="steroids daemon logs")
    if context.out.json:
        context.out.result({"image": to_builtins(made)})
        return
    context.out.line(f"{made.ref}  on {made.engine}  {made.size_bytes / 1e6:.0f} MB")


@images.command("list")
@click.option("--engine", help="Only this one's.")
@pass_context
def list_(context: Context, engine: str | None) -> None:
    """List our images on every engine, newest first."""
    answer = context.client.get(address("images", engine=engine), ImageLines)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.images:
        context.out.note("no images yet\nhint: steroids images build")
        return
    now = datetime.now(UTC)
    rows = [
        (
            each.ref.removeprefix("localhost/"),
            each.kind,
            each.engine,
            f"{each.size_bytes / 1e6:.0f} MB",
            ago((now - each.created_at).total_seconds()),
        )
        for each in answer.images
    ]
    context.out.table(("IMAGE", "KIND", "ENGINE", "SIZE", "CREATED"), rows)
