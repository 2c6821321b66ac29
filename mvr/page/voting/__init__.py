"""Voting: battles and grades, blind; `BallotBox` is the whole of it for the page, `arena_routes` for a browser."""

from mvr.page.voting.arena_routes import arena_routes
from mvr.page.voting.ballot_box import BallotBox, Needs

__all__ = ["BallotBox", "Needs", "arena_routes"]
