"""A run against a baseline: is it worse by less than the margins?"""
