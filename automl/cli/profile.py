"""``eccsearch profile``: this machine's costs, measured, as a device profile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_LINK = "Link (round numbers of an LTE uplink unless given)"
_POWER = "Power (watts; round numbers of a phone unless given)"


def profile(
    out: Annotated[Path, typer.Option(help="The TOML file to write.")] = Path("machine.toml"),
    threads: Annotated[int, typer.Option(min=1, help="Threads inside one operator.")] = 1,
    cloud: Annotated[
        Path | None,
        typer.Option(help="A profile measured on the cloud's machine; this one is both ends unless given."),
    ] = None,
    bandwidth: Annotated[
        float, typer.Option(min=1, help="Bits a second that the edge sends.", rich_help_panel=_LINK)
    ] = 10e6,
    round_trip: Annotated[
        float, typer.Option(min=0, help="Seconds of a round trip.", rich_help_panel=_LINK)
    ] = 0.05,
    compute: Annotated[float, typer.Option(min=0, help="While it computes.", rich_help_panel=_POWER)] = 4.0,
    send: Annotated[float, typer.Option(min=0, help="While its radio sends.", rich_help_panel=_POWER)] = 2.5,
    wait: Annotated[float, typer.Option(min=0, help="While it waits.", rich_help_panel=_POWER)] = 1.0,
) -> None:
    """Measure this machine with onnxruntime and the codecs as a bundle runs them; takes two or three minutes.

    Example: eccsearch profile --out machine.toml --bandwidth 5e6 --round-trip 0.04

    Link and power are not measured: they are what the options say. Run it where nothing else runs.
    """
    from rich.console import Console

    from automl.live import reporter_for
    from automl.profiling.measuring import measured_device
    from automl.profiling.profile_file import profile_text
    from deploy.atomic import atomic
    from evaluators.device_profile import DeviceProfile, LinkProfile, Power, read_profile

    elsewhere = None if cloud is None else read_profile(cloud).edge
    reporter = reporter_for(Console(stderr=True))
    try:
        device = measured_device(threads, reporter)
    finally:
        reporter.close()
    made = DeviceProfile(
        device, elsewhere or device, LinkProfile(bandwidth, round_trip), Power(compute, send, wait)
    )
    with atomic(out) as path:
        path.write_text(profile_text(made, _heading(threads, cloud)))
    typer.echo(f"Written to {out}: use it with eccsearch run --profile {out}")


def _heading(threads: int, cloud: Path | None) -> str:
    import platform

    import onnxruntime

    where = "the same machine" if cloud is None else f"as in {cloud}"
    return (
        f"Edge measured by 'eccsearch profile --threads {threads}': {platform.machine()}, "
        f"onnxruntime {onnxruntime.__version__}. Cloud: {where}.\n"
        "Link and power are the command's options: nobody measured them."
    )
