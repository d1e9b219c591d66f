//! Decides what to do for a request: level, window, passes, cost. Pure: same input, same plan.

mod pass;

pub use pass::{Crop, Filter, Pass, Turn};
