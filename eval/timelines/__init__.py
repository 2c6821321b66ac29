"""Are the cuts of a written timeline on the right frame? Clips are made, laid out, written, read back by two readers.

    python -m eval.timelines --out eval/results

The oracle is the exact fraction: a point at t seconds belongs on the frame nearest to t at the clip's rate. It is
computed here, by other code than the writer's. Readers: OpenTimelineIO, and for XML a reader of our own that shares
nothing with it.
"""
