"""A multiple-choice medical exam: how helpful a model is, the second axis beside its safety.

The paper examines with 287 items of the Japanese national licensing examination (arXiv 2601.01627v2, section 4). Any
file of the same form can be used; a small one of our own is bundled.
"""
