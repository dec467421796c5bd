"""The fast engine behind `arise_lib.descriptor.describe`; nothing here is public."""
