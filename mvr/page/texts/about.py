"""The tab about systems, privacy and versions."""

from __future__ import annotations

from mvr.page.texts.words import Words

ABOUT = Words(
    systems="Systems",
    ready="ready",
    not_here="not installed",
    trained_on="Trained on",
    noncommercial="(non-commercial)",
    lacks="Needs",
    privacy="Privacy",
    versions="Versions",
)
