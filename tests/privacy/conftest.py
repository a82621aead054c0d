"""The made-up patients of the generation tests."""

from tests.generation.conftest import *  # noqa: F403
