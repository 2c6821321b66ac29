"""Votes, judgments and consents in one SQL database that never loses an acknowledged row.

record     what every row has in common; outcomes, kinds, aspects
records    the nouns: Battle (two Sides), Vote, Judgment, Flag, Consent, PoolItem, Participant
schema     their tables, and the versioned view of the votes that count
store      VoteStore: opened by URL, migrated on open, written by one thread (SQLite) or a pool (PostgreSQL)
voter      who votes: a random id signed by the server, kept in the browser
formats    Parquet, JSONL, CSV and TREC in and out
hub        copies to a Hugging Face dataset in the background
"""
