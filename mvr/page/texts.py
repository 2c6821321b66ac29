"""Every short text of the page in one place."""

from __future__ import annotations

NAME = "mvr"
TITLE = "mvr: music for your video"
HEADLINE = "Music that fits your clip"
TAGLINE = "Drop a clip, hear ranked music on it, take the file away."

TAB_VIDEO_TO_MUSIC = "Video to music"
TAB_MUSIC_TO_VIDEO = "Music to video"
TAB_VOTE = "Vote"
TAB_LEADERBOARD = "Leaderboard"
TAB_LIBRARY = "Library"
TAB_ABOUT = "About & privacy"

GONE = "Your files were deleted after a pause. Please choose a clip again."
NO_JAVASCRIPT = "This page needs JavaScript."
FOOTER = "Runs on this machine. No account, no tracking, nothing is loaded from elsewhere."

ABOUT_WHAT = (
    "mvr ranks music for a short video, and videos for a piece of music, with two published models: MVBind "
    "(arXiv:2405.09286) and Control-MVR (arXiv:2412.05831). It lets people judge blind how well the two fit. "
    "Neither paper released weights: what answers here was trained by this project, and each system below says on "
    "what. The small default systems learned from synthetic pairs and carry what those encode: genre, tempo, "
    "energy, mood and colour."
)
NO_SYSTEMS = "No system is installed."
PRIVACY_PLACE = "Your files are processed on the machine that serves this page and go nowhere else."
PRIVACY_OWN = "What you upload is shown to you alone and never enters the library unless you add it there."
PRIVACY_KEPT = "Uploads are deleted when you close the page, or {minutes:g} minutes after you last used them."
PRIVACY_CACHE = (
    "While a file is on its way in, its address is made from its content: somebody who holds the same file could "
    "tell that it was uploaded."
)
PRIVACY_COOKIES = "The page sets no cookies and keeps no history of what you did in the browser."
PRIVACY_ADDRESS = "Network addresses are used in memory to slow down floods of requests; they are not stored."
