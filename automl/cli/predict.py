"""The predict command: a bundle's answer for one's own picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def predict(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder, as `eccsearch export` wrote it.")],
    image: Annotated[Path, typer.Argument(help="The picture; anything that Pillow reads.")],
    draw: Annotated[Path | None, typer.Option(help="Write the picture with the boxes drawn, e.g. out.png.")] = None,
    score: Annotated[float, typer.Option(min=0, max=1, help="Leave out boxes below this score.")] = 0.3,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores unless given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer for a picture by running a bundle, edge and cloud, on this machine.

    Example: eccsearch predict bundle/ photo.jpg --draw out.png
    """
    from deploy.bundle import Bundle
    from deploy.predict import Predictor

    answer = Predictor(Bundle.open(bundle), threads).answer(image, score)
    if draw:
        answer.draw(draw)
    typer.echo(json.dumps(answer.to_dict()) if as_json else "\n".join(answer.lines()))
