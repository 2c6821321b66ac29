"""Strengths of systems from pairwise votes, with intervals that hold when few people cast most votes.

votes        PairVotes: the votes as arrays; voter weights
davidson     the model with ties and a slot term, fitted by Newton's method on cell counts
covariance   sandwich estimates: independent, by voter, by video, two-way
ratings      `rate`: the whole recipe: strengths, intervals, differences, rank intervals
separation   when no finite strengths exist
sensitivity  the same with other choices
concentration, cycles, drift   who cast the votes; whether one strength per system fits; first half against second
stopping     e-values for looking at any time; sign test; votes still needed
shares       counts and Wilson intervals: both bad, win rates, per-alpha preference
"""

from __future__ import annotations

from mvr.metrics.preference.davidson import DavidsonFit, Ties, fit_davidson
from mvr.metrics.preference.ratings import Ratings, RatingSettings, rate
from mvr.metrics.preference.separation import strong_components
from mvr.metrics.preference.stopping import directed_e_value, e_value, sign_test, votes_to_separate
from mvr.metrics.preference.votes import LEFT, RIGHT, TIE, PairVotes, capped_weights

__all__ = [
    "LEFT",
    "RIGHT",
    "TIE",
    "DavidsonFit",
    "PairVotes",
    "RatingSettings",
    "Ratings",
    "Ties",
    "capped_weights",
    "directed_e_value",
    "e_value",
    "fit_davidson",
    "rate",
    "sign_test",
    "strong_components",
    "votes_to_separate",
]
