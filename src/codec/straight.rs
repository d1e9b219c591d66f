//! Colours that are multiplied by their opacity → straight ones.

/// Colours that are multiplied by their opacity, the last channel, without it.
pub(super) fn divide<T: Copy + Into<u32> + TryFrom<u32>>(
    samples: &mut [T],
    channels: usize,
    most: T,
) {
    let most_value = most.into();
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((opacity, colours)) = pixel.split_last_mut() else {
            continue;
        };
        let opacity = (*opacity).into();
        for colour in colours {
            let value = (*colour).into() * most_value + opacity / 2;
            let straight = value.checked_div(opacity).unwrap_or(0).min(most_value);
            *colour = T::try_from(straight).unwrap_or(most);
        }
    }
}
