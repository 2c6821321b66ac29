"""Votes out and in again: Parquet, JSONL and CSV of all tables, TREC qrels and runs.

tables      one file per table and format; a round trip is identical
trec        qrels and runs for any retrieval tool
mteb        a retrieval task per judged pool: queries, corpus, graded qrels, a card with licences
publish     what may leave the house: voters re-keyed, times rounded, no session, nothing of withdrawn voters
"""
