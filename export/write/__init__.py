"""Writing a training set: plan, shards, graph files, manifest."""
