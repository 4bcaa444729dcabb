"""What people look at before anything is published, and what they decided."""
