"""Search for files that the reader mishandles, guided by the branches it takes (atheris).

atheris is no dependency of this project: ``pip install atheris`` first. Beside
``fuzz_reading.py``, which knows the formats and has oracles, this one knows nothing and looks for
crashes, hangs (5 s) and exceptions other than ``ImageReadError``.

    python scripts/benchmark/fuzz_coverage.py --seconds 120 --data ../shared/data
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["monai_gan_aug.io"]):
    from monai_gan_aug.errors import ImageReadError
    from monai_gan_aug.io.reading import read_image

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fuzz_reading import seed_files  # not before the reader is instrumented

SMALL = 40_000


def main() -> None:
    """Fill a folder with seeds and hand over to libFuzzer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    corpus = Path(tempfile.mkdtemp(prefix="corpus_"))
    seeds = [content for content in seed_files(arguments.data) if len(content) <= SMALL]
    for number, content in enumerate(seeds):
        (corpus / f"{number}").write_bytes(content)
    path = corpus.parent / f"{corpus.name}.mutant"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(ImageReadError):
            read_image(path)

    print(f"{len(seeds)} seeds", flush=True)
    options = [
        f"-max_total_time={arguments.seconds}",
        f"-seed={arguments.seed}",
        f"-max_len={SMALL}",
        "-timeout=5",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        f"-artifact_prefix={corpus.parent}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
