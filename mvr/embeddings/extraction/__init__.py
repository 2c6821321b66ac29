"""Bulk embedding: both backbones of a system over a dataset, on this machine or on a Ray cluster.

Every engine runs the same per-file function and hands its features to the same durable cache, from which the store is
then put together in the dataset's order, or rows are appended to the one that is there. So a killed run loses at most
the files in flight, a second run computes only what is missing, and the store is the same bit for bit whichever engine
made it.
"""

from mvr.embeddings.extraction.jobs import ExtractSettings
from mvr.embeddings.extraction.run import ExtractReport, extract_features

__all__ = ["ExtractReport", "ExtractSettings", "extract_features"]
