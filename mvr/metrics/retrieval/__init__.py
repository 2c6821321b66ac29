"""A retrieval test from embeddings to rows of a table: which task, which pool, which values, how sure."""
