"""The stages, one a file, in the order of the paper."""
