"""Sources, pools, splits, the decode-once cache, batches and what is mixed into them.

In this order: ``sources`` (with ``slices``), ``pooling`` (with ``duplicates``, ``pseudonyms``),
``splitting``, ``preparation`` and ``training_sets``; then ``decoding``, ``cache``, ``datasets``,
``batches`` (with ``streams``) and ``mixing``.
"""
