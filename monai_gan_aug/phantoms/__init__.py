"""Head-CT series drawn from geometry: data for demos and tests that shows no one."""
