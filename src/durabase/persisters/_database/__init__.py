"""What persisters over SQL databases share: their configuration, and the statements they run."""
