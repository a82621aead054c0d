"""How good generated images are, each number beside real-versus-real."""
