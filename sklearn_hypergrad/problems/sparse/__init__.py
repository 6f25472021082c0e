"""Inner problems whose solutions have zeros: quadratics with L1 penalties."""
