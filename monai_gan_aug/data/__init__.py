"""Sources, pools, splits, the decode-once cache, batches and what is mixed into them."""
