"""One run from options to outcome, for both front ends."""
