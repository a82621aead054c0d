"""Images out of a trained generator: drawn, written in every format, chosen among."""
