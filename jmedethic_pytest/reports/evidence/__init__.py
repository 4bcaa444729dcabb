"""An evidence pack: what was tested, how, with what result and limits, along the headings of another document."""
