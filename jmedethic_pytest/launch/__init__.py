"""Many models, suites and languages at once: planned, collected by whatever runs jobs, merged, judged, compared."""
