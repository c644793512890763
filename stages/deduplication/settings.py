"""What the recipe may say about deduplication, and the banding that follows from it.

Formulas: two signatures agree in one place with probability J (Broder 1997), so a pair of Jaccard J
shares one of b bands of r places with probability 1 − (1 − J^r)^b (Leskovec, Rajaraman, Ullman,
*Mining of Massive Datasets*, §3.4).
"""

from __future__ import annotations

import dataclasses
import functools
import math

from pydantic import BaseModel, ConfigDict, Field, model_validator

from foundation.canonical import Json

NAME = "deduplication"
VERSION = "2"

REASONS: dict[str, str] = {
    "exact_duplicate": "another kept content has the same redacted text (SHA-256)",
    "near_duplicate": "a kept content has an exact Jaccard similarity at or above the threshold",
}

NGRAM = 5

SHINGLES: dict[str, Json] = {
    "name": "noempty",
    "unit": "UTF-8 bytes of the redacted text",
    "token": "maximal run of [A-Za-z0-9_], case kept; every other byte separates, empty tokens do not exist",
    "ngram": NGRAM,
    "join": " ",
    "set": True,
    "too_short": f"fewer than {NGRAM} tokens: exact comparison only",
    "hash": "fnv1a64 a token, murmur3 fmix64, sum of products with the five xxHash64 primes, fmix64",
    "signature": "datasketch 2 MinHash, scheme affine32, hashfunc = high 32 bits of the hash",
}
"""The shingle definition as data, for the manifest. Texts that differ in other bytes only have Jaccard 1."""


class Settings(BaseModel):
    """Near-duplicate search: what counts as similar and how surely it is found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    near: bool = True  # false: exact duplicates alone are dropped
    threshold: float = Field(0.7, gt=0, le=1, description="exact Jaccard at which a content is a near duplicate")
    recall: float = Field(0.995, gt=0, lt=1, description="share of pairs at the threshold that must be compared")
    permutations: int = Field(256, ge=64, le=1024, multiple_of=64, description="32-bit values in a signature")
    seed: int = Field(1, ge=0, lt=1 << 32, description="datasketch's seed of the permutations")
    prefilter_loss: float = Field(
        1e-4, gt=0, lt=0.01, description="most probable share of pairs at the threshold lost by comparing sketches"
    )
    max_bucket: int = Field(
        10_000, ge=2, description="contents of one band bucket that a content is compared with; the rest is counted"
    )
    max_component: int = Field(
        50_000, ge=2, description="contents compared in one task; larger components are compared piece by piece"
    )

    @model_validator(mode="after")
    def _banding_exists(self) -> Settings:
        _derive(self.threshold, self.recall, self.permutations, self.prefilter_loss)
        return self


@dataclasses.dataclass(frozen=True)
class Banding:
    """`bands` keys of `rows` signature values each."""

    rows: int
    bands: int

    def probability(self, jaccard: float) -> float:
        """Chance that a pair of this Jaccard shares at least one band."""
        return float(1 - (1 - jaccard**self.rows) ** self.bands)


def banding(settings: Settings) -> Banding:
    """The most selective banding (largest rows, then fewest bands) that keeps the recall asked for."""
    return _derive(settings.threshold, settings.recall, settings.permutations, settings.prefilter_loss)


def banding_curve(settings: Settings) -> list[tuple[float, float]]:
    """(Jaccard, chance of being compared) from 0.05 to 1 in steps of 0.05, sketches left out."""
    chosen = banding(settings)
    return [(step / 20, chosen.probability(step / 20)) for step in range(1, 21)]


@functools.cache
def sketch_matches(threshold: float, permutations: int, loss: float) -> int:
    """Fewest equal sketch bits that a pair at `threshold` shows, but for a share `loss` of such pairs.

    A sketch has one fair bit a signature value, so bits agree with chance (1 + J) / 2 each: the lower
    tail of a binomial. Above the threshold the tail is lighter still.
    """
    chance = (1 + threshold) / 2
    tail = 0.0
    for matches in range(permutations + 1):
        tail += _binomial(permutations, matches, chance)
        if tail > loss:
            return matches
    return permutations


def _binomial(trials: int, hits: int, chance: float) -> float:
    if chance in (0.0, 1.0):
        return float(hits == trials * chance)
    log = math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(trials - hits + 1)
    return math.exp(log + hits * math.log(chance) + (trials - hits) * math.log1p(-chance))


@functools.cache
def _derive(threshold: float, recall: float, permutations: int, loss: float) -> Banding:
    needed = recall / (1 - loss)
    for rows in range(permutations, 0, -1):
        for_one = threshold**rows
        if needed >= 1 or for_one < 1e-300:  # so rare that no number of bands would do
            continue
        bands = 1 if for_one >= 1 else max(1, math.ceil(math.log1p(-needed) / math.log1p(-for_one)))
        if rows * bands <= permutations:
            return Banding(rows, bands)
    raise ValueError(
        f"no banding of {permutations} permutations reaches recall {recall} at threshold {threshold}: "
        "raise permutations or threshold, or lower recall"
    )
