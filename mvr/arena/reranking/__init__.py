"""What votes teach the ranking: a ridge residual on frozen heads, re-ranking the first places only.

With fewer than a few thousand votes, tuning heads makes retrieval worse; a residual r(item) that is added to the
frozen similarity, with its strength chosen by cross-validation, does not. Source: evaluation notes, section 5.

    pairs       votes as pairs of items under one system
    residual    the fit, and cross-validation by voter and video
    model       Reranker: re-ranks a list; saved as JSON with the sources of the votes it learned from
    trial       which votes it may learn from, which ones judge it
    files       where candidates and promoted ones lie
    gates       when a re-ranked system may take the place of the plain one
    personal    the same from one visitor's votes, after twenty of them
"""
