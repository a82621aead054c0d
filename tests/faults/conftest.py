"""The tiny trainer of the engine tests."""

import importlib.util
from pathlib import Path

PATH = Path(__file__).parents[1] / "engines" / "conftest.py"
_spec = importlib.util.spec_from_file_location("engine_fixtures", PATH)
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

make_trainer = _fixtures.make_trainer
tiny_images = _fixtures.tiny_images
