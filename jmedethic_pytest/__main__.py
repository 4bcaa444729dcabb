"""``python -m jmedethic_pytest``: the command line."""

from jmedethic_pytest.cli.main import main

main()
