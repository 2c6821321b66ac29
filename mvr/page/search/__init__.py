"""Search: a clip on a desk, the list for it, what is taken away. A click on "Hear" goes to `assets/js/player`."""

from mvr.page.search.desk import Ask, Clip, Desk, desk_of
from mvr.page.search.learned import Learned, rank_by_taste
from mvr.page.search.measuring import Measuring
from mvr.page.search.search_events import SearchEvents

__all__ = ["Ask", "Clip", "Desk", "Learned", "Measuring", "SearchEvents", "desk_of", "rank_by_taste"]
