"""Parts of tests/demo/run."""
