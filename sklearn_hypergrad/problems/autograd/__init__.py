"""Problems and losses of one's own, with derivatives from autograd."""
