//! The clauses of the Image API that are decided in this room, a test each.
