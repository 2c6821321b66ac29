"""mvr finds music for short videos and videos for music, and collects blind votes on how well they fit.

    from mvr import pick_music
    pick_music("clip.mp4", "~/Music").export("out.mp4")

The package is a stack of floors; a module imports only floors below its own (see CONTRIBUTING.md):

    mvr.__main__                                     starts the command line
    mvr.commands | mvr.pick                          commands, and the same in three lines of Python
    mvr.page | mvr.mcp                               the only place that imports gradio | an agent's tools
    mvr.training | retrieval | arena | delivery      learn heads, rank items, run battles, hand over timelines
    mvr.library                                      the user's tracks and videos
    mvr.embeddings | timing                          backbones over files, systems, the feature store | when
    mvr.backbones | datasets                         frozen encoders, corpora
    mvr.media | signal | heads | losses | index | metrics | votes
    mvr.config -> mvr.datatypes -> mvr.errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mvr.pick import Pick as Pick
    from mvr.pick import pick_music as pick_music

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`pick_music` and `Pick` on first use: importing the package loads nothing."""
    if name in ("Pick", "pick_music"):
        from mvr import pick

        return getattr(pick, name)
    raise AttributeError(f"module 'mvr' has no attribute {name!r}")
