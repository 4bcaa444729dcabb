"""``jmedethic judges``: what stands behind a score when a judge moves, or another one comes."""
