"""What every stage stands on: files, models, records, prompts."""
