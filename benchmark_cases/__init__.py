"""The bundled conversations, and the test that runs them.

In a checkout ``pytest --model=...`` finds it; elsewhere use
``pytest --model=... --pyargs jmedethic_pytest.benchmark_cases``.
"""
