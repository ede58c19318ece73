//! What a volume, a snapshot, a task, an operation is. No I/O, no async, no dialect.
