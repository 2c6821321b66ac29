"""The blind arena: which battle to show to whom, and what a vote may do. Knows no page and no retrieval.

candidates   what the arena needs to know about queries, systems and their ranked lists (a Protocol)
policy       probabilities of the pairs: uniform first, close pairs more often later
voter        who a battle is for: what they have seen and answered
checks       when a battle is a check: one in every block of ten, more after a failed one
draw         one battle at random, with every probability written down
tokens       what names a battle in the browser; rules  what a vote and an undo may do
arena        Arena: next battle, vote, undo, reveal; no browser can bend its rules
rates        how fast somebody may vote before the votes are set aside
studies      fixed lists per participant, balanced by a Latin square; completion codes
judging      graded relevance of pooled lists: pools, queue, progress, disagreements
board        the leaderboard of a store or an export: one function for page and command line
reranking    a ridge residual learned from votes, its trial and promotion gates; personal re-ranking
"""
