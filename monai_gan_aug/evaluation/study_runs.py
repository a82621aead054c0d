"""The jobs of a benefit study at one number of training patients, stage by stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from monai_gan_aug.data.datalist import Datalist
from monai_gan_aug.data.left_out import enlarged, unlabelled_list
from monai_gan_aug.errors import DataError
from monai_gan_aug.evaluation.arms import Arm, arm
from monai_gan_aug.evaluation.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.evaluation.jobs import BundleJob
from monai_gan_aug.evaluation.pseudo_labels import GUESSED, SEMI
from monai_gan_aug.evaluation.screening import can_screen
from monai_gan_aug.evaluation.study_data import StudyData

__all__ = ["SHARED_KNOBS", "ClassifierRecipe", "StudyRuns"]

SHARED_KNOBS = ("total_steps", "steps_multiplier", "batch_size")
LABELLER = "classical"
PSEUDO = "pseudo"


@dataclass(frozen=True)
class ClassifierRecipe:
    """How the classifiers of all arms are trained.

    Args:
        network: ``configs/network_<…>.yaml`` of the classifier bundle, for all arms but those made
            of a discriminator.
        knobs: Knobs of all arms; what an arm sets itself, it keeps, and the learning rate is not
            passed to the other architecture.
        arm_knobs: Knobs of single arms, by name.

    Raises:
        DataError: If an arm's own knobs would change how long it is trained.
    """

    network: str = "small_cnn"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    arm_knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, knobs in self.arm_knobs.items():
            arm(name)
            if unequal := sorted(set(knobs) & set(SHARED_KNOBS)):
                raise DataError(
                    f"`arm_knobs` of {name} sets {', '.join(unequal)}, but all arms take equally "
                    "many steps of equally many images: set it in `classifier`."
                )

    def knobs_of(self, chosen: Arm, configs: Path) -> dict[str, Any]:
        """Knobs of one arm; ``configs`` holds the arms' files."""
        from monai.bundle import ConfigParser  # heavy, and studies are also only looked at

        own = set(ConfigParser.load_config_file(str(configs / chosen.config_file)))
        if chosen.discriminator:
            own.add("learning_rate")
        shared = {key: value for key, value in self.knobs.items() if key not in own}
        return {**shared, **self.arm_knobs.get(chosen.name, {})}


@dataclass(frozen=True)
class StudyRuns:
    """All jobs of one number of training patients.

    Args:
        data: The images.
        root: Folder of the study; decoded images lie in its ``cache``.
        folder: Folder of these runs, ``root`` or below it.
        datalists: Split of every seed.
        arms: Arms to train.
        gan: How the GAN is trained.
        classifier: How the classifiers are trained.
        selection: Knobs of the GAN bundle's ``select.yaml``.
        unlabelled_images: Unlabelled images at most.
        bundles_dir: Folder of both bundles.
        device: Device of the jobs.
    """

    data: StudyData
    root: Path
    folder: Path
    datalists: Mapping[int, Datalist]
    arms: tuple[Arm, ...]
    gan: GanRecipe
    classifier: ClassifierRecipe
    selection: Mapping[str, Any]
    unlabelled_images: int
    bundles_dir: Path
    device: str = "cpu"

    @cached_property
    def gans(self) -> GanRuns:
        """The GAN that learns from the labelled training images."""
        return self._gan_runs("", "datalist.json")

    @cached_property
    def semi_gans(self) -> GanRuns:
        """The GAN that learns from unlabelled images as well."""
        return self._gan_runs("semi-", f"{PSEUDO}/{SEMI}")

    def prepare(self) -> None:
        """Write the datalists that arms need besides the split.

        Raises:
            DataError: If the images cannot support an arm.
        """
        pool = self.data.pool(self.root).entries
        unequal = [one.name for one in self.arms if one.unequal]
        for seed, datalist in self.datalists.items():
            sizes = set(datalist.counts("training").values())
            if unequal and len(sizes) == 1:
                raise DataError(
                    f"All classes have {sizes.pop()} training images at seed {seed}, so none is "
                    f"smaller: leave out {', '.join(unequal)}."
                )
            if any(one.unlabelled for one in self.arms):
                found = unlabelled_list(datalist, pool, self.unlabelled_images)
                found.save(self._datalist(seed, "unlabelled.json"))
            for one in self.arms:
                if one.patients > 1:
                    more = enlarged(datalist, pool, one.patients)
                    more.save(self._datalist(seed, f"{one.name}.json"))

    def stages(self) -> dict[str, Callable[[int], list[BundleJob]]]:
        """Functions from a seed to jobs; the jobs of a stage need those of the stages before."""
        semi = any(one.semi for one in self.arms)
        chosen = any(one.source in ("selected", "random_selection") for one in self.arms)
        guessed = any(one.unlabelled for one in self.arms)

        def both(make: Callable[[GanRuns, int], list[BundleJob]]) -> Callable[[int], list[Any]]:
            gans = [self.gans, self.semi_gans] if semi else [self.gans]
            return lambda seed: [job for runs in gans for job in make(runs, seed)]

        every: dict[str, Callable[[int], list[BundleJob]] | None] = {
            "labeller": (lambda seed: [self.train(seed, arm(LABELLER))]) if guessed else None,
            "guess": (lambda seed: [self._guess(seed)]) if guessed else None,
            "GAN": both(GanRuns.trainings),
            "generate": both(GanRuns.generations),
            "quality": self._if_main(self.gans.comparisons),
            "screen": self._if_main(self._screenings),
            "select": (lambda seed: self.gans.selections(seed, self.selection)) if chosen else None,
            "classifiers": lambda seed: [self.train(seed, one) for one in self._trained()],
            "choose": lambda seed: [
                self._choose(seed, one) for one in self.arms if one.chosen_from
            ],
        }
        return {title: make for title, make in every.items() if make is not None}

    def _trained(self) -> list[Arm]:
        """Arms to train, those included that others are chosen from."""
        names = [n for one in self.arms for n in (one.chosen_from or (one.name,))]
        return [arm(name) for name in dict.fromkeys(names)]

    def _choose(self, seed: int, chosen: Arm) -> BundleJob:
        bundle = self.bundles_dir / "augmentation_classifier"
        output_dir = self._output(seed, f"arm-{chosen.name}")
        datalist = self._datalist(seed, "datalist.json")
        folders = [self._output(seed, f"arm-{name}") for name in chosen.chosen_from]
        return BundleJob(
            name=output_dir.relative_to(self.root).as_posix(),
            bundle=bundle,
            config_files=(
                "common.yaml",
                f"network_{self.classifier.network}.yaml",
                chosen.config_file,
                "choose.yaml",
            ),
            overrides={
                **self._shared(bundle, seed, datalist, output_dir),
                "choices": [str(folder) for folder in folders],
            },
            output_dir=output_dir,
            inputs=tuple(
                folder / name
                for folder in folders
                for name in ("predictions.json", "metrics.json", "curves.json")
            ),
        )

    def _if_main(self, make: Callable[[int], list[BundleJob]]) -> Callable[[int], list[BundleJob]]:
        """Only for the largest training set: nothing else reports it, and it takes long."""
        return make if self.folder == self.root else lambda seed: []

    def _screenings(self, seed: int) -> list[BundleJob]:
        return self.gans.screenings(seed) if can_screen(self.datalists[seed]) else []

    def train(self, seed: int, chosen: Arm) -> BundleJob:
        """The training of one arm."""
        bundle = self.bundles_dir / "augmentation_classifier"
        output_dir = self._output(seed, f"arm-{chosen.name}")
        datalist = self._datalist(
            seed, f"{chosen.name}.json" if chosen.patients > 1 else "datalist.json"
        )
        network = "discriminator" if chosen.discriminator else self.classifier.network
        synthetic = self._synthetic(seed, chosen)
        knobs, inputs = self._parts(seed, chosen)
        return BundleJob(
            name=output_dir.relative_to(self.root).as_posix(),
            bundle=bundle,
            config_files=(
                "common.yaml",
                f"network_{network}.yaml",
                chosen.config_file,
                "train.yaml",
            ),
            overrides={
                **self._shared(bundle, seed, datalist, output_dir),
                **self.classifier.knobs_of(chosen, bundle / "configs"),
                **knobs,
                "synthetic": [str(path) for path in synthetic],
            },
            output_dir=output_dir,
            inputs=(datalist, *synthetic, *inputs),
        )

    def _parts(self, seed: int, chosen: Arm) -> tuple[dict[str, Any], list[Path]]:
        """Knobs for guessed classes and discriminators, and the files behind them."""
        knobs: dict[str, Any] = {}
        inputs: list[Path] = []
        if chosen.source == "pseudo":
            inputs.append(self._output(seed, PSEUDO) / GUESSED)
            knobs["pseudo"] = str(inputs[-1])
        if chosen.discriminator:
            gans = self.semi_gans if chosen.semi else self.gans
            paths = gans.config_paths()
            inputs += paths
            knobs["gan_config"] = [str(path) for path in paths]
            knobs["gan_knobs"] = gans.network_knobs(seed)
        if chosen.discriminator == "trained":
            inputs.append(gans.checkpoint(seed))
            knobs["gan_checkpoint"] = str(inputs[-1])
        return knobs, inputs

    def _guess(self, seed: int) -> BundleJob:
        bundle = self.bundles_dir / "augmentation_classifier"
        output_dir = self._output(seed, PSEUDO)
        unlabelled = self._datalist(seed, "unlabelled.json")
        datalist = self._datalist(seed, "datalist.json")
        labeller = self.train(seed, arm(LABELLER)).output_dir / "checkpoints" / "latest.json"
        return BundleJob(
            name=output_dir.relative_to(self.root).as_posix(),
            bundle=bundle,
            config_files=(
                "common.yaml",
                f"network_{self.classifier.network}.yaml",
                "pseudo_label.yaml",
            ),
            overrides={
                **self._shared(bundle, seed, datalist, output_dir),
                **self.classifier.knobs_of(arm(LABELLER), bundle / "configs"),
                "ckpt_path": str(labeller),
                "unlabelled": str(unlabelled),
            },
            output_dir=output_dir,
            inputs=(datalist, unlabelled, labeller),
        )

    def _shared(self, bundle: Path, seed: int, datalist: Path, output_dir: Path) -> dict[str, Any]:
        return {
            "bundle_root": str(bundle),
            **self.data.knobs(datalist, self.root / "cache", seed),
            "device": f"$torch.device('{self.device}')",
            "output_dir": str(output_dir),
        }

    def _synthetic(self, seed: int, chosen: Arm) -> list[Path]:
        gans = self.semi_gans if chosen.semi else self.gans
        if chosen.source == "generated":
            return gans.synthetic(seed)
        if chosen.source in ("selected", "random_selection"):
            return gans.selected(seed, at_random=chosen.source == "random_selection")
        return []

    def _gan_runs(self, prefix: str, datalist_name: str) -> GanRuns:
        labels = next(iter(self.datalists.values())).labels
        return GanRuns(
            self.data,
            self.gan,
            self.folder,
            labels,
            self.bundles_dir,
            self.device,
            prefix,
            self.root,
            datalist_name,
        )

    def _datalist(self, seed: int, name: str) -> Path:
        return self.data.datalist_path(self.folder, seed, name)

    def _output(self, seed: int, name: str) -> Path:
        return self.folder / f"seed-{seed}" / name
