"""The words every room speaks: records, vocabulary, errors. No network, no files of users, no heavy library."""
