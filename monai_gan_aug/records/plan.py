"""``plan.json``: what a study was going to ask before it knew, what was changed, and every look.

The first start of a study writes its plan before anything trains. A plan may be changed
afterwards, but not silently: the first plan stays, every revision is kept with its time, and every
look at results is kept with the plan it belongs to and the word it gave. The number of a look
decides what it may spend of the error budget
(:func:`monai_gan_aug.statistics.looks.tail_of_look`).

Everything here is a value: a change gives a new record, and the caller says what time it is.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace

from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.files import FileRecord

__all__ = ["Look", "Plan", "PlanRecord", "Revision", "unused_seeds"]

NAMES = {
    "arm": "the arm",
    "baseline": "the baseline",
    "matched": "the matched controls",
    "controls": "the controls",
    "metric": "the metric",
    "relevant_effect": "the relevant effect",
    "seeds": "the seeds",
    "training_patients": "the training patients per class",
}
UNPLANNED = "the plan: none, then written when results were there"


@dataclass(frozen=True)
class Plan:
    """What decides the word of a study. The order of controls, seeds and sizes means nothing.

    Args:
        arm: The arm in question.
        baseline: What everything is read against.
        matched: Matched controls of the arm that are trained.
        controls: Other controls it must beat.
        metric: The metric that decides.
        relevant_effect: Smallest difference that would matter.
        seeds: Seeds of the splits and trainings.
        training_patients: Training patients per class; the largest number decides.

    Example:
        >>> plan = Plan("gan", "classical", (), ("mixup", "longer"), "auc", 0.02, (1, 0), (20,))
        >>> plan == Plan("gan", "classical", (), ("longer", "mixup"), "auc", 0.02, (0, 1), (20,))
        True
    """

    arm: str
    baseline: str
    matched: tuple[str, ...]
    controls: tuple[str, ...]
    metric: str
    relevant_effect: float
    seeds: tuple[int, ...]
    training_patients: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("matched", "controls", "seeds", "training_patients"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))

    @property
    def sha256(self) -> str:
        """Hash of everything in it."""
        return sha256_json(asdict(self))

    def in_words(self) -> dict[str, str]:
        """Its parts by what they are called.

        Example:
            >>> plan = Plan("gan", "classical", (), ("mixup",), "auc", 0.02, (0, 1, 2), (20,))
            >>> plan.in_words()["the seeds"], plan.in_words()["the matched controls"]
            ('0, 1, 2', 'none')
        """
        return {NAMES[item.name]: _words(getattr(self, item.name)) for item in fields(self)}

    def changes(self, other: "Plan") -> tuple[str, ...]:
        """What is different in ``other``, in words; nothing if they are the same plan.

        Example:
            >>> plan = Plan("gan", "classical", (), ("mixup",), "auc", 0.02, (0, 1, 2), (20,))
            >>> plan.changes(replace(plan, seeds=(1, 2), relevant_effect=0.9))
            ('the relevant effect: 0.02, then 0.9', 'the seeds: 0, 1, 2, then 1, 2')
        """
        after = other.in_words()
        return tuple(
            f"{name}: {before}, then {after[name]}"
            for name, before in self.in_words().items()
            if before != after[name]
        )


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


@dataclass(frozen=True)
class Revision:
    """A change of the plan.

    Args:
        time: When, ISO 8601.
        plan: The plan from then on.
        after_results: Whether any result of the study was there already.
    """

    time: str
    plan: Plan
    after_results: bool


@dataclass(frozen=True)
class Look:
    """One look at results.

    Args:
        number: Its number, from 1; what it may spend.
        time: When, ISO 8601.
        plan: The plan it belongs to.
        evidence_sha256: Hash of the predictions that were looked at.
        word: The word it gave.
        sentence: The sentence it gave.
    """

    number: int
    time: str
    plan: Plan
    evidence_sha256: str
    word: str
    sentence: str


@dataclass(frozen=True)
class PlanRecord(FileRecord):
    """The first plan of a study, its revisions and its looks, in order.

    Args:
        created: When the first plan was written, ISO 8601.
        first: The plan before anything was trained.
        revisions: Changes of it.
        looks: Looks at results.
        after_results: Whether results were there before there was any plan: it counts as changed.
    """

    KIND = "the plan of a study"
    REMEDY = "start a new study in another folder, or put the file back as it was written"
    MISSING = "start the study to write it"
    SEAL = ("sha256",)

    created: str
    first: Plan
    revisions: tuple[Revision, ...] = ()
    looks: tuple[Look, ...] = ()
    after_results: bool = False

    @property
    def plan(self) -> Plan:
        """The plan that holds now."""
        return self.revisions[-1].plan if self.revisions else self.first

    @property
    def planned(self) -> Plan:
        """The last plan made before any result was there: what the study is held to."""
        before = [revision.plan for revision in self.revisions if not revision.after_results]
        return before[-1] if before else self.first

    @property
    def changes(self) -> tuple[str, ...]:
        """What is different now from what was planned before results, in words."""
        unplanned = (UNPLANNED,) if self.after_results else ()
        return (*unplanned, *self.planned.changes(self.plan))

    @property
    def sha256(self) -> str:
        """Hash of everything in it."""
        return sha256_json(asdict(self))

    def revised(self, plan: Plan, time: str, *, results: bool) -> "PlanRecord":
        """The record with another plan; the same record if it is no other.

        Args:
            plan: What holds from now on.
            time: Now, ISO 8601.
            results: Whether any prediction or metric of the study is on disk. A look says so
                itself.
        """
        if plan == self.plan:
            return self
        revision = Revision(time, plan, results or bool(self.looks))
        return replace(self, revisions=(*self.revisions, revision))

    def next_look(self, evidence_sha256: str) -> int:
        """Number of the look at this evidence under the plan that holds, from 1.

        Looking again at the same evidence under the same plan, without another look in between,
        is no new look. Coming back to an earlier plan is one: it was chosen after the others were
        seen. So are the same seeds trained again with other results.
        """
        if self._seen(evidence_sha256):
            return self.looks[-1].number
        number = self.looks[-1].number + 1 if self.looks else 1
        # A plan that was changed when results were there was chosen after a look nobody recorded.
        return max(number, 2) if self.changes else number

    def _seen(self, evidence_sha256: str) -> bool:
        """Whether the last look was at the same evidence under the plan that holds."""
        same = (self.plan, evidence_sha256)
        return bool(self.looks) and same == (self.looks[-1].plan, self.looks[-1].evidence_sha256)

    def looked(self, evidence_sha256: str, time: str, word: str, sentence: str) -> "PlanRecord":
        """The record with this look; the same record if it is no new one."""
        if self._seen(evidence_sha256):
            return self
        number = self.next_look(evidence_sha256)
        look = Look(number, time, self.plan, evidence_sha256, word, sentence)
        return replace(self, looks=(*self.looks, look))


def unused_seeds(plan: Plan, on_disk: Collection[int]) -> tuple[int, ...]:
    """Seeds with results on disk that the plan leaves out: the report names them.

    Example:
        >>> plan = Plan("gan", "classical", (), (), "auc", 0.02, (1, 2), (20,))
        >>> unused_seeds(plan, [0, 1, 2])
        (0,)
    """
    return tuple(sorted(set(on_disk) - set(plan.seeds)))
