//! Decides what to do for a request: level, window, passes, cost. Pure: same input, same plan.

mod pass;
mod turn;

pub use pass::{Crop, Filter, Pass, Turn};
pub use turn::canvas;
