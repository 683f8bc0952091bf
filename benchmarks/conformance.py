"""Whether torchvision's classification models keep the laws of chain and modules.

    python benchmarks/conformance.py
    python benchmarks/conformance.py resnet50 mobilenet_v3_large --export

Untrained members at a small image (224 pixels where a model asks for it, else 64): chain == model to 1e-5, every
block with all of its modules == the block, fewer modules cost fewer multiply-adds, gradients reach what is kept
and nothing else, and with ``--export`` the edge part runs in onnxruntime at the first, a middle and the last cut.
Printed: blocks, parts with modules, the share of the multiply-adds in blocks that have modules, the blocks that
have none, and the first law that is broken. Exit code 1 where one is.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import torch
from report import Cell, Table, emit
from torchvision import models

from automl.conformance import ConformanceError, check_model
from automl.tasks.models import classifier, model_names
from deploy.errors import UserError

LARGE = ("vit", "swin", "maxvit")
COLUMNS = ("model", "blocks", "parts", "share with modules", "without", "broken")


def row(name: str, export: bool) -> tuple[Cell, ...]:
    """Check one model."""
    torch.manual_seed(0)
    side = 224 if name.startswith(LARGE) else 128 if name == "inception_v3" else 64
    try:
        found = check_model(classifier(name, 10, None).eval(), torch.rand(1, 3, side, side), export)
    except (ConformanceError, UserError) as error:
        return name, None, None, None, None, str(error)
    return name, found.blocks, found.parts, found.covered, ", ".join(found.whole), None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="All of torchvision's unless given.")
    parser.add_argument("--export", action="store_true", help="Check the export, too.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name in options.models or [each for each in model_names() if each in models.list_models(module=models)]:
        rows.append(row(name, options.export))
        print(*rows[-1], file=sys.stderr, flush=True)
    emit([Table("Laws of chain and modules", COLUMNS, tuple(rows))], options.json)
    return int(any(each[-1] for each in rows))


if __name__ == "__main__":
    sys.exit(main())
