"""The image sets of the data tests."""

from tests.data.conftest import *  # noqa: F403
