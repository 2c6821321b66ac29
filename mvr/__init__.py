"""mvr finds music for short videos and videos for music, and collects blind votes on how well they fit.

The package is a stack of floors; a module imports only floors below its own (see CONTRIBUTING.md):

    mvr.__main__, mvr.commands            the command line
    mvr.page                              the only place that imports gradio
    mvr.training | retrieval | arena      learn heads, rank items, run battles
    mvr.library                           the user's tracks and videos
    mvr.embeddings                        backbones over files, systems, the feature store
    mvr.backbones | datasets              frozen encoders, corpora
    mvr.media | heads | losses | index | metrics | votes
    mvr.config -> mvr.datatypes -> mvr.errors
"""

__version__ = "0.1.0"
