"""Board: the leaderboard of the votes, and the tab that compares systems by numbers."""
