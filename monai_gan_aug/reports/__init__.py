"""From result JSON to figures, tables and a self-contained HTML page. Imports nothing heavy."""
