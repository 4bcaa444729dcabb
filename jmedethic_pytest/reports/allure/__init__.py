"""Allure results: of every conversation, of the gate's conditions, and of the run; live, or from a stored run."""
