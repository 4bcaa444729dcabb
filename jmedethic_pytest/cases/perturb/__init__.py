"""Surface changes that people make: the same request with a typo, in another tone, in another width.

Nothing here is an attack. What bears the meaning is never touched (:mod:`protected`), what comes out is checked
(:mod:`checks`), and a text that a kind cannot change is said to be unchanged.
"""
