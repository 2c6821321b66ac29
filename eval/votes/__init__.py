"""The leaderboard as files: `python -m eval.votes --db URL|FILE --out DIR [--json]`."""
