"""From decoded images to network inputs: one idea a file, array and dictionary classes together."""
