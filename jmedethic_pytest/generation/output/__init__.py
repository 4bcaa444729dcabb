"""What a finished benchmark leaves behind: case files and reports."""
