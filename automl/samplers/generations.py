"""Generations: which trials are a genetic sampler's generation, counted by place, so that workers need not wait.

```
place       0 ... 16 | 17 18 19 | 20 ... 36 | 37 38 39 | 40 ...
drawn from  nothing  |          | parents 1 |          | parents 2
counted to  0        | 1        | 1         | 2        | 2
```

Parents g are chosen among what is counted to the generations before g. The last three of each draw are counted to
the next: while one worker still measures them, the others need not wait for it before they draw on.
"""

from __future__ import annotations

from abc import ABC

from optuna.samplers._ga import BaseGASampler
from optuna.study import Study
from optuna.trial import FrozenTrial

POPULATION = 20
OVERLAP = 3


class Generations(BaseGASampler, ABC):
    """Optuna's genetic sampler with generations by place; ``index`` is set by the subclass.

    Attributes:
        index: The asked trial's place in the sequence of search trials.
    """

    generation = POPULATION
    overlap = OVERLAP
    index: int
    _noted = False

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """Return the generation whose parents the trial is drawn from; note the one that it is counted to."""
        if not self._noted:
            counted_to = (self.index + OVERLAP) // POPULATION
            study._storage.set_trial_system_attr(trial._trial_id, self._get_generation_key(), counted_to)
            self._noted = True
        return self.index // POPULATION
