import pytest
from synthetic_records import INFO, realistic

from results.pareto import pareto_set
from results.record import RunInfo, TrialRecord


@pytest.fixture(scope="session")
def info() -> RunInfo:
    return INFO


@pytest.fixture(scope="session")
def records() -> list[TrialRecord]:
    return realistic()


@pytest.fixture(scope="session")
def front(records: list[TrialRecord]) -> list[TrialRecord]:
    return pareto_set(records, INFO.objectives)
