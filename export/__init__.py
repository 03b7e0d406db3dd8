"""Selection -> arrays -> training set on disk -> batches on a device."""
