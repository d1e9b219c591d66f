//! Values at the nodes of a regular grid → values between them.
//!
//! Up to four inputs, up to four outputs, all `0..=1` or whatever the nodes hold. Between nodes the
//! last three inputs go by tetrahedra and one before them linearly, as the ICC's own examples do; a
//! profile's tables and the way from a device to sRGB are both such grids.
//!
//! Source: tetrahedral interpolation after Kasson, Nin, Plouffe and Hafner 1995.

/// Most inputs of a grid.
pub(super) const MOST: usize = 4;

/// A grid's nodes.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// Nodes along each input, the slowest first.
    sides: Vec<usize>,
    outputs: usize,
    values: Vec<f32>,
}

/// Where an input lies between two nodes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    node: usize,
    share: f32,
}

impl Place {
    /// The place of `input` among `side` nodes over `0..=1`; what lies outside is at the end.
    pub(super) fn of(input: f32, side: usize) -> Self {
        let last = side.saturating_sub(1);
        let input = if input > 0.0 { input.min(1.0) } else { 0.0 };
        let at = input * last as f32;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and a side"
        )]
        let node = (at as usize).min(last.saturating_sub(1));
        Self {
            node,
            share: at - node as f32,
        }
    }
}

impl Grid {
    /// The grid of `values`, all outputs of a node together, or `None` if they are not as many as the
    /// sides ask for.
    pub(super) fn new(sides: Vec<usize>, outputs: usize, values: Vec<f32>) -> Option<Self> {
        let nodes = sides
            .iter()
            .try_fold(1_usize, |all, side| all.checked_mul(*side))?;
        let fits = (1..=MOST).contains(&sides.len())
            && (1..=MOST).contains(&outputs)
            && sides.iter().all(|side| *side >= 2)
            && nodes.checked_mul(outputs)? == values.len();
        fits.then_some(Self {
            sides,
            outputs,
            values,
        })
    }

    /// A grid of `side` nodes along each of `inputs`, filled by `value`.
    pub(super) fn filled(
        inputs: usize,
        side: usize,
        mut value: impl FnMut(&[f32]) -> [f32; 3],
    ) -> Self {
        let most = (side - 1) as f32;
        let mut at = vec![0_usize; inputs];
        let mut values = Vec::with_capacity(3 * side.pow(u32::try_from(inputs).unwrap_or(0)));
        'nodes: loop {
            let place: Vec<f32> = at.iter().map(|node| *node as f32 / most).collect();
            values.extend(value(&place));
            for node in at.iter_mut().rev() {
                *node += 1;
                if *node < side {
                    continue 'nodes;
                }
                *node = 0;
            }
            break;
        }
        Self {
            sides: vec![side; inputs],
            outputs: 3,
            values,
        }
    }

    /// The number of inputs.
    pub(super) fn inputs(&self) -> usize {
        self.sides.len()
    }

    /// The outputs at `input`, which has as many values as the grid has inputs.
    pub(super) fn at(&self, input: &[f32]) -> [f32; MOST] {
        let mut places = [Place::default(); MOST];
        for ((place, value), side) in places.iter_mut().zip(input).zip(&self.sides) {
            *place = Place::of(*value, *side);
        }
        self.between(&places)
    }

    /// The outputs at `places`, of which the first are the inputs'.
    pub(super) fn between(&self, places: &[Place; MOST]) -> [f32; MOST] {
        let mut steps = [0; MOST];
        let (mut base, mut stride) = (0, self.outputs);
        for (axis, side) in self.sides.iter().enumerate().rev() {
            steps[axis] = stride;
            base += places[axis].node * stride;
            stride *= side;
        }
        let axes = self.inputs();
        if axes < MOST {
            return self.simplex(base, &steps[..axes], &places[..axes]);
        }
        let near = self.simplex(base, &steps[1..], &places[1..]);
        let share = places[0].share;
        if share <= 0.0 {
            return near;
        }
        let far = self.simplex(base + steps[0], &steps[1..], &places[1..]);
        let mut out = near;
        for (near, far) in out.iter_mut().zip(far) {
            *near += (far - *near) * share;
        }
        out
    }

    /// Between the corners of a cell that begins at `base`: from there along one axis after the other,
    /// the one with the largest share first.
    fn simplex(&self, base: usize, steps: &[usize], places: &[Place]) -> [f32; MOST] {
        let mut order = [(0.0, 0); 3];
        let axes = steps.len().min(3);
        for (at, (step, place)) in order.iter_mut().zip(steps.iter().zip(places)) {
            *at = (place.share, *step);
        }
        let order = &mut order[..axes];
        order.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let mut out = [0.0; MOST];
        let (mut corner, mut before) = (base, 1.0);
        for (share, step) in order.iter() {
            self.add(corner, before - share, &mut out);
            (corner, before) = (corner + step, *share);
        }
        if before > 0.0 {
            self.add(corner, before, &mut out);
        }
        out
    }

    fn add(&self, corner: usize, weight: f32, out: &mut [f32; MOST]) {
        let values = self.values.get(corner..corner + self.outputs);
        for (sum, value) in out.iter_mut().zip(values.unwrap_or_default()) {
            *sum += value * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linear_comes_back_exactly_in_every_number_of_inputs() {
        let mut random = fastrand::Rng::with_seed(3);
        for inputs in 1..=MOST {
            let plane = |at: &[f32]| {
                let weighted = |by: f32| -> f32 {
                    at.iter()
                        .enumerate()
                        .map(|(axis, v)| v * (by + axis as f32))
                        .sum()
                };
                [weighted(1.0), weighted(-2.0), 0.25]
            };
            let grid = Grid::filled(inputs, 5, plane);
            assert_eq!(grid.inputs(), inputs);
            for _ in 0..200 {
                let at: Vec<f32> = (0..inputs).map(|_| random.f32()).collect();
                let [one, two, three, _] = grid.at(&at);
                for (got, wanted) in [one, two, three].into_iter().zip(plane(&at)) {
                    assert!((got - wanted).abs() < 1e-4, "{at:?}: {got} {wanted}");
                }
            }
        }
    }

    #[test]
    fn nodes_are_met_and_what_lies_outside_is_at_the_edge() {
        let grid = Grid::new(vec![2, 3], 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        for (at, value) in [
            ([0.0, 0.5], 1.0),
            ([1.0, 1.0], 5.0),
            ([2.0, -1.0], 3.0),
            ([f32::NAN, 1.0], 2.0),
        ] {
            assert!((grid.at(&at)[0] - value).abs() < 1e-6, "{at:?}");
        }
    }

    #[test]
    fn values_that_do_not_fill_a_grid_are_refused() {
        assert!(Grid::new(vec![2, 2], 3, vec![0.0; 12]).is_some());
        assert!(Grid::new(vec![2, 2], 3, vec![0.0; 11]).is_none());
        assert!(Grid::new(vec![1, 2], 3, vec![0.0; 6]).is_none());
        assert!(Grid::new(vec![2; 5], 1, vec![0.0; 32]).is_none());
    }
}
