"""A judge that scores, and what the scores come to."""
