"""The image sets of the data tests and the studies of the report tests."""

from tests.data.conftest import *  # noqa: F403
from tests.reports.conftest import *  # noqa: F403
