"""SVM-10K: short videos with music, after MVBind (Teng et al., VCIP 2024): schema, builder, loader, checks.

The paper's own set was never released. This package makes such a set from a folder of short videos: the paper's steps
as far as they are known, each a setting with a reason in the report.
"""
