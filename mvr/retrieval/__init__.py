"""The Retriever: ranks a library's tracks for a video and its videos for a piece of music."""

from mvr.retrieval.filters import Filters
from mvr.retrieval.query import Query
from mvr.retrieval.ranked import RankedList, Result
from mvr.retrieval.retriever import Retriever

__all__ = ["Filters", "Query", "RankedList", "Result", "Retriever"]
