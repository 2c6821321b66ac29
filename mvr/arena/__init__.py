"""The blind arena: which battle to show to whom, and what a vote may do. Knows no page and no retrieval.

candidates   what the arena needs to know about queries, systems and their ranked lists (a Protocol)
policy       probabilities of the pairs: uniform first, close pairs more often later
draw         one battle at random, with every probability written down
arena        Arena: next battle, vote, undo, reveal; the rules that no browser can bend
rates        how fast somebody may vote before the votes are set aside
studies      fixed lists per participant, balanced by a Latin square; completion codes
judging      graded relevance of pooled lists: pools, queue, progress, disagreements
board        the leaderboard of a store or an export: one function for page and command line
reranking    a ridge residual learned from votes, with its promotion gates; personal re-ranking
"""
