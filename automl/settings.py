"""RunSettings: everything that a user chose for one run, as it is kept beside the study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from automl.run_folder import DEFAULT_ROOT, RunFolder
from deploy.atomic import atomic
from deploy.errors import UserError
from evaluators.device_profile import DeviceProfile
from search_spaces.config import Value
from search_spaces.objective import DEFAULT_OBJECTIVES, PROFILED, Constraint

Params = Mapping[str, Value]
LATER = ("own", "profile", "device")
"""Settings that the first version did not have."""


@dataclass(frozen=True)
class Effort:
    """How much training each part of a run gets; what is None is the task's or the part's own default.

    Attributes:
        cloud_steps: Training steps of the cloud model.
        teach_steps: Steps that the supernet is taught.
        trial_steps: Distillation steps of a trial.
        refine_steps: Further distillation steps of a finalist.
        finalists: Members of the front, with a part on the edge and one in the cloud, that are refined; of a gate,
            the whole curve is.
    """

    cloud_steps: int | None = None
    teach_steps: int = 300
    trial_steps: int | None = None
    refine_steps: int = 360
    finalists: int = 6


@dataclass(frozen=True)
class Own:
    """What a user says of data and model of their own.

    Attributes:
        data: The data set.
        form: Its format; recognised where None.
        image_size: Side of the model's input in pixels; 64 for whole pictures and 192 for boxes where None.
        model: The cloud model: ``small``, one of torchvision's classification models or a factory of the user's
            own, for boxes as a backbone; or, for boxes, one of torchvision's detectors.
        weights: What it starts from: a file, or a name of torchvision's.
    """

    data: Path
    form: str | None = None
    image_size: int | None = None
    model: str = "small"
    weights: str | None = None


@dataclass(frozen=True)
class RunSettings:
    """One run as the user asked for it.

    Attributes:
        task: The task's name; of a data set, "detection" or "classification" where that is to be checked.
        name: The run's name.
        root: Folder of all runs.
        budget: Search trials in total.
        sampler: The sampler's name.
        seed: The study's seed.
        objectives: Names of the objectives.
        constraints: Bounds such as ``bytes<=2000``.
        narrowed: Choices left of each narrowed parameter.
        first: Configurations of the user's own, as flat parameters, tried first.
        timeout: Seconds after which no trial is begun.
        workers: Processes that search.
        threads: Threads of each process.
        storage: URL of another Optuna storage than the run folder's SQLite file.
        effort: How much training each part gets.
        own: Data and model of the user's own, in the place of a task's.
        profile: What devices and link cost; without it latency and energy are not measured.
        device: What trains and runs the models: ``auto``, ``cpu`` or ``cuda``.
    """

    task: str
    name: str
    root: Path = DEFAULT_ROOT
    budget: int = 200
    sampler: str = "nsga2"
    seed: int = 0
    objectives: tuple[str, ...] = DEFAULT_OBJECTIVES
    constraints: tuple[str, ...] = ()
    narrowed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    first: tuple[Params, ...] = ()
    timeout: float | None = None
    workers: int = 1
    threads: int = 1
    storage: str | None = None
    effort: Effort = Effort()
    own: Own | None = None
    profile: DeviceProfile | None = None
    device: str = "auto"

    @property
    def cores(self) -> int:
        """Threads of all processes together: what is trained before the search is trained with all of them."""
        return self.threads * self.workers

    @property
    def where(self) -> Path | str:
        """What holds the study."""
        return self.storage or self.folder.path

    @property
    def folder(self) -> RunFolder:
        """Where the run's files lie."""
        return RunFolder(self.root, self.name)

    @property
    def begun_on(self) -> str:
        """The device that was asked for; where that is ``auto``, the one that the run was begun on, if it was."""
        if self.device != "auto" or not self.folder.settings.exists():
            return self.device
        try:
            return RunSettings.load(self.folder).device
        except UserError:
            # Damaged settings are mended by giving the options again, which is what happens here.
            return self.device

    def check_storage(self) -> None:
        """Check that the run keeps its study where it always did.

        Raises:
            UserError: it would begin a second study, whose trials had the first one's weights.
        """
        if not self.folder.begun:
            return
        try:
            kept = study_place(self.folder)
        except UserError:
            # Damaged settings are mended by giving the options again, which is what happens here.
            return
        if kept != self.where:
            url = f"the --storage that {self.folder.settings} names" if isinstance(kept, str) else "no --storage"
            raise UserError(f"run '{self.name}' keeps its study elsewhere: give {url}, or start afresh with --new")

    def check_profile(self) -> None:
        """Check that a profile is given where one is needed.

        Raises:
            UserError: an objective or a constraint is of what only a profile can tell.
        """
        named = [*self.objectives, *(Constraint.parse(text).name for text in self.constraints)]
        needy = [name for name in named if name in PROFILED]
        if needy and self.profile is None:
            raise UserError(
                f"'{needy[0]}' needs a device profile: give --profile FILE; 'eccsearch profile' measures one"
            )

    def save(self) -> None:
        """Write the settings into the run's folder."""
        with atomic(self.folder.settings) as path:
            path.write_text(json.dumps(asdict(self), indent=2, default=str) + "\n")

    @classmethod
    def load(cls, folder: RunFolder) -> RunSettings:
        """Read the settings of a run.

        Raises:
            UserError: the file is missing or damaged.
        """
        try:
            return cls._read(folder, json.loads(folder.settings.read_text()))
        except FileNotFoundError:
            raise UserError(f"no run '{folder.name}' below {folder.root}: {folder.settings} is missing") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{folder.settings} is damaged ({error}): give the run's options again") from None

    @classmethod
    def _read(cls, folder: RunFolder, values: dict[str, Any]) -> RunSettings:
        # An older version's settings lack what came later, which then was as it is unless given.
        names = [each.name for each in fields(cls) if each.name in values or each.name not in LATER]
        known = {name: values[name] for name in names}
        known.setdefault("device", "cpu")
        known["root"], known["effort"] = folder.root, Effort(**values["effort"])
        known["narrowed"] = {name: tuple(choices) for name, choices in values["narrowed"].items()}
        known["own"] = None if values.get("own") is None else _own(values["own"])
        if values.get("profile") is not None:
            known["profile"] = DeviceProfile.from_dict(values["profile"], str(folder.settings))
        for name in ("objectives", "constraints", "first"):
            known[name] = tuple(values[name])
        return cls(**known)


def study_place(folder: RunFolder, storage: str | None = None) -> Path | str:
    """Return what holds the study of a run: ``storage`` where one is given, else what the run's settings name.

    Raises:
        UserError: the settings are damaged.
    """
    if storage is not None:
        return storage
    # A run that was killed before it wrote its settings has them not.
    return RunSettings.load(folder).where if folder.settings.exists() else folder.path


def _own(values: Mapping[str, Any]) -> Own:
    return Own(**{**values, "data": Path(values["data"])})
