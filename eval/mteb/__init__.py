"""Systems of mvr on a task that mteb reads: `python -m eval.mteb --task DIR --systems NAME ... --out DIR`.

task        a folder that `mvr votes export --to mteb` wrote, as mteb's retrieval task
adapter     a system of mvr as mteb's search model: the exact ranking of the page, best segment and alpha included
"""
