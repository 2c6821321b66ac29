"""The leaderboard as files: `python -m eval.votes --db URL|FILE --out DIR [--json]`, and what it is worth.

attack      `python -m eval.votes attack`: how far seven campaigns move it
audit       `python -m eval.votes audit`: which planted faults it names (planted: arenakit's nine boards)
coverage    `python -m eval.votes coverage`: how often its intervals hold the truth (crowds: simulated voters)
"""
