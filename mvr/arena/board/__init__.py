"""The leaderboard: `build_board(store) -> Board`, used by the page and by `python -m eval.votes` alike.

inputs      what of a store enters: counted votes, checks, repeats, judgments, and the hash of it all
exclusion   voters set aside by rules, counted per rule
board       the whole document (`Board.document` is plain JSON; same votes in, same bytes out)
sections    its parts: ratings, differences, alphas, agreement, offline order
audit       what speaks against a table, found by itself: order, connectivity, sides, cycles, concentration, drift, ...
orders      the order without the slot term, one voter, one video, one rule
original    win + tie of every system against the clip's own music
relevance   qrels from judgments, graded metrics, and when a comparison is refused
forest      the interval plot as SVG with a text alternative
tables      the same numbers as CSV and Markdown
"""

from mvr.arena.board.board import Board, BoardSettings, build_board

__all__ = ["Board", "BoardSettings", "build_board"]
