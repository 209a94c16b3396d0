//! Programs to start from: see `src/bin`.
