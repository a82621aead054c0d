"""Jobs of an instant, and an executor that runs them here."""

from concurrent.futures import Executor, Future

import pytest

from monai_gan_aug.studies.jobs import BundleJob
from monai_gan_aug.studies.shipped import configs_folder

CONFIG = """
output_dir: .
text: nothing
path: "$@output_dir + '/result.txt'"
run:
- "$open(@path, 'a').write(@text)"
"""
BROKEN = CONFIG.replace(".write(@text)", ".no_such_method()")


class Here(Executor):
    """Runs every job at once, in this process, and notes their names."""

    def __init__(self):
        self.names = []

    def submit(self, function, /, *arguments, **options):
        future = Future()
        self.names.append(arguments[0].name)
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="session")
def new_executor():
    """Make an executor that runs in this process and notes what it was asked for."""
    return Here


@pytest.fixture
def here(new_executor):
    """Such an executor."""
    return new_executor()


@pytest.fixture
def make_job(tmp_path):
    """Make a job that appends its text to ``result.txt``, by its name."""
    configs = tmp_path / "bundle" / "configs"
    configs.mkdir(parents=True)
    (configs / "run.yaml").write_text(CONFIG)
    (configs / "broken.yaml").write_text(BROKEN)
    logging = configs_folder() / "studies" / "logging.conf"
    (configs / "logging.conf").write_text(logging.read_text())
    (configs / "metadata.json").write_text("{}")

    def make(name, text="hello", **more):
        folder = tmp_path / "out" / name
        knobs = {"output_dir": str(folder), "text": text}
        return BundleJob(name, tmp_path / "bundle", ("run.yaml",), knobs, folder, **more)

    return make
