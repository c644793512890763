"""Rows × bands follow from threshold, recall and permutations; the sketch filter keeps its promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binom

from stages.deduplication import Settings, banding, banding_curve, sketch_matches


def test_the_default_finds_pairs_at_the_threshold_with_the_recall_promised():
    chosen = banding(Settings())
    assert (chosen.rows, chosen.bands) == (5, 29)
    assert chosen.probability(0.7) * (1 - 1e-4) >= 0.995


@given(st.floats(0.3, 1.0), st.floats(0.5, 0.999), st.sampled_from([128, 256, 512]))
def test_every_banding_keeps_its_recall_and_fits_the_signature(threshold, recall, permutations):
    settings = Settings(threshold=threshold, recall=recall, permutations=permutations)
    chosen = banding(settings)
    assert chosen.rows * chosen.bands <= permutations
    assert chosen.probability(threshold) * (1 - settings.prefilter_loss) >= recall - 1e-12
    assert all(a[1] <= b[1] for a, b in zip(banding_curve(settings), banding_curve(settings)[1:], strict=False))


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.05, "recall": 0.9999, "permutations": 64},
        {"threshold": 0},
        {"threshold": 0.01},
        {"recall": 1},
        {"permutations": 100},
        {"treshold": 0.7},
        {"prefilter_loss": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        Settings(**wrong)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.85, 1.0])
def test_the_sketch_filter_loses_no_more_than_stated(threshold):
    fewest = sketch_matches(threshold, 256, 1e-4)
    assert binom.cdf(fewest - 1, 256, (1 + threshold) / 2) <= 1e-4
    assert threshold == 1.0 or binom.cdf(fewest, 256, (1 + threshold) / 2) > 1e-4
