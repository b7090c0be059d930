"""Which tests must stay in one process when pytest-xdist shares them among several.

The grouping goes by the file that a test's id begins with, not by `xdist_group` marks: those reach the
scheduler through the ids themselves, and pytest 9.2 no longer lets xdist 3.8 write into them.
"""

from __future__ import annotations

from typing import Any

import pytest

# Files whose tests are long and few, so that several processes share them. Elsewhere the tests of a file
# share what the first of them computes, such as an exercise's reference results.
ALONE = ("tests/notebooks/",)
# The states of one chapter share what its exercises' references give.
STATES = "tests/notebooks/test_states.py"
# One JupyterLab, one Chromium and one environment of Colab's versions serve all that need them.
SHARED = {"tests/browser/": "a browser", "tests/colab/": "colab", "_colab.py": "colab"}


def together(test: str) -> str:
    """The group of a test, from its id: tests of one group run in one process, in their order."""
    file = test.partition("::")[0]
    for part, group in SHARED.items():
        if part in file:
            return group
    if file == STATES:
        return f"{file}{test[test.find('[') :]}" if test.endswith("]") else test
    return test if file.startswith(ALONE) else file  # a notebook's cells follow one another


def rank(group: str) -> int:
    """Which groups are begun first: the longest, so that none of them is left to run on alone at the end.

    xdist begins with those of the most tests. One of a few long tests would come last, several at once to one
    process, which still has them when the others have nothing more to do.
    """
    if group in SHARED.values():
        return 0
    return 1 if group.startswith(ALONE) else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests among the processes by group, whatever `--dist` says."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            self.workqueue.move_to_end(min(self.workqueue, key=rank), last=False)
            super()._assign_work_unit(node)

        def remove_node(self, node: Any) -> str | None:
            """Take a test that ended its process as done: xdist would hand it to the next one too."""
            for tests in self.assigned_work[node].values():
                for test, done in tests.items():
                    if not done:
                        tests[test] = True
                        super().remove_node(node)
                        return test
            found: str | None = super().remove_node(node)
            return found

    return ByGroup(config, log)
