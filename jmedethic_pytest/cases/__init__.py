"""The conversations: files, index, selection; checks of their content; exchange with other formats."""
