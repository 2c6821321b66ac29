"""Settings of the builder: every filter with its threshold and why it is there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """What is kept, how it is stored, how it is split.

    Attributes:
        min_likes: drop clips with fewer likes, where likes are known (the paper's sign of quality).
        min_s, max_s: drop clips outside this duration: a short video is meant.
        max_speech_share: drop prominent voices; the paper did it by hand.
        max_noise: drop strong ambient noise; the paper did it by hand.
        margin: a value within this share of a threshold is borderline and asks for a look.
        min_motion: drop stills: mean change between frames, 0 to 255.
        max_silence_lufs: drop clips that are quieter than this.
        remove_borders: cut constant black borders off the pictures.
        max_hash_bits: clips whose picture hashes differ in at most so many of 64 bits show the same.
        val_share, test_share: share of groups in each split.
        balance: the column whose values every split gets its share of.
        shard_mb: size of a Parquet shard in 10^6 bytes.
        seed: of the split.
    """

    min_likes: int = 10_000
    min_s: float = 3.0
    max_s: float = 180.0
    max_speech_share: float = 0.2
    max_noise: float = 0.15
    margin: float = 0.3
    min_motion: float = 0.6
    max_silence_lufs: float = -55.0
    remove_borders: bool = True
    max_hash_bits: float = 8.0
    val_share: float = 0.1
    test_share: float = 0.1
    balance: str = "theme"
    shard_mb: float = 400.0
    seed: int = 0
