"""The catalogue of tasks: the built-in ones, and those that installed packages offer as entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from deploy.errors import UserError, unknown
from search_spaces.task import Task

GROUP = "eccsearch.tasks"
"""Entry-point group: ``name = "package.module:callable"``, where the callable without arguments gives a Task."""
BUILT_IN = (
    EntryPoint("detection", "automl.tasks.detection:DetectionTask", GROUP),
    EntryPoint("classification", "automl.tasks.classification:ClassificationTask", GROUP),
)


def task_names() -> list[str]:
    """Return the name of every task, built-in ones first; loads none of them."""
    installed = {point.name for point in entry_points(group=GROUP)}
    built_in = [point.name for point in BUILT_IN]
    return built_in + sorted(installed.difference(built_in))


def find_task(name: str) -> Task:
    """Return the task called ``name``.

    Raises:
        UserError: no task has that name, more than one has it, or the package that offers it fails to load.
    """
    offers = [point for point in (*BUILT_IN, *entry_points(group=GROUP)) if point.name == name]
    if not offers:
        raise unknown("task", name, task_names())
    if len(offers) > 1:
        places = ", ".join(point.value for point in offers)
        raise UserError(f"task '{name}' is offered more than once ({places}): uninstall all but one")
    return _load(offers[0])


def provider(name: str) -> str:
    """Return who offers the task: ``"built in"`` or the installed package's name."""
    if any(point.name == name for point in BUILT_IN):
        return "built in"
    offers = entry_points(group=GROUP, name=name)
    return next((point.dist.name for point in offers if point.dist is not None), "unknown package")


def _load(offer: EntryPoint) -> Task:
    try:
        task: Task = offer.load()()
    except Exception as error:  # whatever a foreign package raises, the user needs its name and one line
        if offer in BUILT_IN:
            raise
        raise UserError(
            f"task '{offer.name}' ({offer.value}) fails to load: {type(error).__name__}: {error}; "
            "mend or uninstall the package that offers it"
        ) from error
    return task
