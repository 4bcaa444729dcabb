"""What a generated text must be to be kept."""
