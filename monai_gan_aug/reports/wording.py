"""Numbers and names as a reader sees them: real minus signs, fixed decimals, units in words."""

from collections.abc import Iterable

from monai_gan_aug.records.results import Estimate

__all__ = [
    "MANY_CLASSES",
    "METRIC_TITLES",
    "NO_VALUE",
    "SCREEN_WARNING",
    "count_range",
    "duration",
    "interval",
    "listing",
    "lower_is_better",
    "metric_title",
    "number",
    "percent",
    "with_interval",
]

METRIC_TITLES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
    "kid": "KID",
    "fid": "FID",
    "fid_limit": "FID, extrapolated",
    "mifid": "MIFID",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "diversity": "Diversity",
    "radiomics_distance": "Radiomics distance",
    "vendi": "Vendi score",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "gmsd": "GMSD",
    "ms_gmsd": "MS-GMSD",
    "mdsi": "MDSI",
    "haar_psi": "HaarPSI",
    "gan_test": "GAN-test",
    "gan_train": "GAN-train",
    "pairwise_ms_ssim": "Pairwise MS-SSIM",
    "pairwise_ssim": "Pairwise SSIM",
    "near_copies_pixels": "Near copies, by pixels",
    "near_copies_features": "Near copies, by features",
    "distance_ratio_pixels": "Distance to training over held out, by pixels",
    "distance_ratio_features": "Distance to training over held out, by features",
    "membership_by_distance_pixels": "Membership AUC, by pixels",
    "membership_by_distance_features": "Membership AUC, by features",
    "membership_by_discriminator": "Membership AUC, by discriminator",
}
SCREEN_WARNING = (
    "The screen looks for copies of training images. Finding none is no proof of privacy: treat "
    "synthetic images with the care that the real ones need."
)
LOWER_IS_BETTER = {"brier", "ece"}
MANY_CLASSES = 4  # more are counted together
NO_BREAK = "\u00a0"
MINUS = "\u2212"
EN_DASH = NO_VALUE = "\u2013"


def metric_title(name: str) -> str:
    """Name of a metric for people.

    Example:
        >>> metric_title("auc"), metric_title("feature_distance")
        ('AUC', 'Feature distance')
    """
    plain = name.replace("_", " ")
    return METRIC_TITLES.get(name, plain[:1].upper() + plain[1:])


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value of a classifier metric is the better one."""
    return metric in LOWER_IS_BETTER


def number(value: float | None, *, digits: int = 3, signed: bool = False) -> str:
    """``value`` with fixed decimals and a real minus sign; an en dash when there is none.

    Example:
        >>> number(0.01234, signed=True), number(0.5)
        ('+0.012', '0.500')
        >>> number(-0.01234) == MINUS + "0.012"
        True
    """
    if value is None:
        return NO_VALUE
    rounded = round(value, digits) + 0.0  # turns a negative zero into zero
    sign = "+" if signed and rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def percent(share: float) -> str:
    """A share in per cent, such as the coverage of an interval.

    Example:
        >>> percent(0.9625), percent(0.95)
        ('96.25%', '95%')
    """
    return f"{100 * share:.4g}%"


def interval(lower: float, upper: float | None, *, digits: int = 3, signed: bool = False) -> str:
    """Both ends of an interval in brackets, kept on one line by a no-break space.

    An end that is not known is a dash.

    Example:
        >>> interval(0.01, 0.03, signed=True).replace(NO_BREAK, " ")
        '[+0.010, +0.030]'
    """
    ends = (number(end, digits=digits, signed=signed) for end in (lower, upper))
    return f"[{f',{NO_BREAK}'.join(ends)}]"


def with_interval(estimate: Estimate, *, signed: bool = False) -> str:
    """An estimate as a reader sees it.

    Example:
        >>> with_interval(Estimate(0.5, 0.4, 0.6, ())).replace(NO_BREAK, " ")
        '0.500 [0.400, 0.600]'
        >>> with_interval(Estimate(0.5, None, None, ()))
        '0.500 (no interval)'
    """
    ends = estimate.ends
    shown = "(no interval)" if ends is None else interval(*ends, signed=signed)
    return f"{number(estimate.mean, signed=signed)} {shown}"


def duration(seconds: float) -> str:
    """A time span in its two largest units.

    Example:
        >>> duration(4.25), duration(75), duration(7384)
        ('4.2 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count_range(counts: Iterable[int]) -> str:
    """One number when all agree, otherwise smallest to largest.

    Example:
        >>> count_range([40, 40]), count_range([38, 41]) == f"38{EN_DASH}41"
        ('40', True)
    """
    values = sorted(counts)
    return f"{values[0]}" if values[0] == values[-1] else f"{values[0]}{EN_DASH}{values[-1]}"


def listing(items: Iterable[str]) -> str:
    """Items as a sentence names them.

    Example:
        >>> listing(["a"]), listing(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    *head, last = items
    return f"{', '.join(head)} and {last}" if head else last
