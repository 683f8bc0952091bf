"""``python -m deploy``: runs a bundle with onnxruntime, constriction, numpy and Pillow alone."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.bundle import Bundle
from deploy.errors import UserError
from deploy.predict import LIKELY, Predictor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        answer = Predictor(Bundle.open(options.bundle), options.threads).answer(options.image, options.score)
        if options.draw:
            answer.draw(options.draw)
    except UserError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 2
    print(json.dumps(answer.to_dict()) if options.json else "\n".join(answer.lines()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description="Run an exported bundle.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    predict = commands.add_parser("predict", help="answer for a picture", description="Answer for a picture.")
    predict.add_argument("bundle", type=Path, help="the bundle's folder")
    predict.add_argument("image", type=Path, help="the picture")
    predict.add_argument("--draw", type=Path, metavar="OUT.png", help="write the picture with the boxes drawn")
    predict.add_argument(
        "--score", type=float, default=LIKELY, help="leave out boxes below this score (%(default)s)"
    )
    predict.add_argument("--threads", type=int, help="threads (all cores)")
    predict.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
