"""The table of a comparison of GANs."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.comparison import ComparedGan, ComparisonRecord
from monai_gan_aug.records.quality import QualityRow
from monai_gan_aug.records.study_parts import Grid, PublishedTable, SeedQuality
from monai_gan_aug.studies.comparison_table import (
    comparison_csv,
    comparison_markdown,
    mean_with_interval,
)


def row(seed, metric, value, size=64, lower=True, **more):
    recipe = {"image": {"size": size}, "synthetic": 10 * (seed + 1), **more.pop("recipe", {})}
    return seed, QualityRow(metric, value, 0.01 * (seed + 1), lower, recipe, **more)


def gan(name, rows, **more):
    seeds = dict.fromkeys(seed for seed, _ in rows)
    return ComparedGan(
        name=name,
        recipe={"preset": "family_dcgan"},
        seconds={str(seed): 120.0 for seed in seeds},
        quality=tuple(
            SeedQuality(seed, tuple(item for own, item in rows if own == seed)) for seed in seeds
        ),
        **more,
    )


def content(*gans, published=None):
    return ComparisonRecord(
        name="cells",
        title="Cells",
        caveats=("Drawn.",),
        patients={"0": {"training": {"well": 12, "ill": 9}, "test": {"well": 5, "ill": 5}}},
        gans=gans,
        published=published,
    )


def test_interval_over_seeds_is_students():
    values = [0.2, 0.5, 0.9, 0.4]
    mean, lower, upper = mean_with_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert np.allclose([mean, lower, upper], [np.mean(values), expected.low, expected.high])


def test_one_seed_keeps_the_interval_it_came_with():
    assert mean_with_interval([0.5], (0.4, 0.7)) == (0.5, 0.4, 0.7)
    assert mean_with_interval([0.5]) == (0.5, None, None)


def test_arrows_baseline_and_time_are_shown():
    table = comparison_markdown(
        content(gan("a", [row(0, "kid", 0.5), row(0, "recall", 0.25, lower=False)]))
    )
    assert "kid ↓" in table
    assert "recall ↑" in table
    assert "| real versus real | 0.01 | 0.01 |  |" in table
    assert "| a | 0.5 | 0.25 | 2.0 |" in table
    assert "- Drawn." in table


def test_images_preprocessed_differently_get_tables_of_their_own():
    table = comparison_markdown(
        content(gan("small", [row(0, "kid", 1.0)]), gan("large", [row(0, "kid", 2.0, size=128)]))
    )
    assert table.count("real versus real") == 2
    assert "size 64" in table
    assert "size 128" in table


def test_one_column_never_mixes_recipes():
    other = row(0, "kid", 1.0, recipe={"features": "another extractor"})
    with pytest.raises(DataError, match="kid were computed in different ways"):
        comparison_markdown(content(gan("a", [row(0, "kid", 1.0)]), gan("b", [other])))


def test_published_numbers_stand_below_ours_with_errata():
    published = PublishedTable("Table 2", ["kid"], {"a": [0.125]}, errata=["The arrow is wrong."])
    table = comparison_markdown(content(gan("a", [row(0, "kid", 0.5)]), published=published))
    assert "| a, published | 0.125 |" in table
    assert "Erratum: The arrow is wrong." in table


def test_counts_of_classes_are_listed():
    counted = row(1, "gan_test", 0.3, lower=False, label="ill", count=(300, 1000))
    table = comparison_markdown(content(gan("a", [row(1, "kid", 1.0), counted])))
    assert r"a, seed 1, gan\_test of ill: 300 of 1000" in table


def test_chosen_metrics_come_in_their_order():
    rows = [row(0, name, 1.0) for name in ("a", "b", "c")]
    lines = comparison_markdown(content(gan("x", rows)), ["c", "a"]).splitlines()
    assert "| GAN | c ↓ | a ↓ | minutes |" in lines


def test_csv_holds_every_row():
    rows = [row(0, "kid", 1.5, interval=(1.0, 2.0)), row(1, "kid", 2.5, label="ill")]
    found = list(csv.DictReader(io.StringIO(comparison_csv(content(gan("a, b", rows))))))
    assert [float(r["value"]) for r in found] == [1.5, 2.5]
    assert found[0]["gan"] == "a, b"
    assert found[0]["lower"] == "1.0"
    assert found[1]["label"] == "ill"


def test_a_metric_that_nobody_measured_is_named():
    table = comparison_markdown(content(gan("x", [row(0, "kid", 1.0)])), ["kid", "haarpsi"])
    assert "Not measured here: haarpsi." in table


def test_names_and_caveats_of_users_are_text_and_nothing_else():
    record = content(gan("=1+1|<b>", [row(0, "kid", -0.5)]))
    named = replace(record, caveats=("<script>x</script>",))
    table = comparison_markdown(named)
    assert "<" not in table
    assert r"| =1+1\|&lt;b&gt; | -0.5 | 2.0 |" in table
    first = next(csv.DictReader(io.StringIO(comparison_csv(named))))
    assert first["gan"] == "'=1+1|<b>"
    assert float(first["value"]) == -0.5


def test_patients_recipes_and_pictures_stand_beside_the_numbers():
    grids = (Grid(0, "ill", "figures/x-synthetic.png", "figures/x-real.png"),)
    table = comparison_markdown(content(gan("x", [row(0, "kid", 1.0)], grids=grids)))
    assert r"cells; patients\: training 12 well, 9 ill; test 5 well, 5 ill." in table
    assert r"- x: preset family\_dcgan" in table
    assert "![synthetic images of ill, x, seed 0](figures/x-synthetic.png)" in table


def test_the_record_survives_its_file(tmp_path):
    record = content(gan("x", [row(0, "kid", 1.0, interval=(0.5, 1.5))]))
    record.save(tmp_path / "comparison.json")
    assert ComparisonRecord.load(tmp_path / "comparison.json") == record


def test_names_break_no_table():
    table = comparison_markdown(content(gan("a|b\n<i>", [row(0, "kid", 1.0)])))
    assert r"| a\|b &lt;i&gt; |" in table
