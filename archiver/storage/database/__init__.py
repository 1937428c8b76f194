"""The database as such: where it lies, how it is opened, read and kept whole, what its errors mean; of no table."""
