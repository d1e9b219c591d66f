//! One number of a shader changed: the self-test sees it, and bytes would have differed.

use std::cell::Cell;

use triforium::codec;
use triforium::render::gpu::{Output, open_changed, prove};

use crate::device::{DEVICE, PATIENCE, on_cpu, wanted};
use crate::random::{Noise, any_job};

/// What stands in a shader, and what a slip might make of it.
const SLIPS: &[(&str, &str)] = &[
    ("+ 2) >> vec4<u32>(2u)", "+ 1) >> vec4<u32>(2u)"),
    ("1 << (bits - 1u)", "1 << (bits - 2u)"),
    ("(pixel.xyz * pixel.w + 127)", "(pixel.xyz * pixel.w + 90)"),
    (
        "pixel.xyz * reciprocal + 128",
        "pixel.xyz * reciprocal + 90",
    ),
    ("19595 * colour.x", "19395 * colour.x"),
    ("gray >= 128", "gray > 128"),
    ("sum + 8192", "sum + 4096"),
    ("vec4<i32>(512)", "vec4<i32>(0)"),
    ("record.height - 1u - x", "record.height - x"),
    ("(start.y & 3u) == 0u", "(start.y & 1u) == 0u"),
    ("(t12 + t13) * 4433", "(t12 + t13) * 4333"),
    ("((sum.y + bias) >> 2u)", "((sum.y + bias + 1) >> 2u)"),
    (
        "const SIXTEEN_ZEROS: u32 = 0xf0u",
        "const SIXTEEN_ZEROS: u32 = 0xe0u",
    ),
];

#[test]
fn the_device_as_it_is_is_sound() {
    assert_eq!(
        prove(DEVICE.executor.as_ref(), Some(codec::jpeg::file)),
        Ok(())
    );
}

#[test]
fn one_number_changed_in_a_shader_and_the_device_is_refused() {
    for (right, wrong) in SLIPS {
        let found = Cell::new(false);
        let change = |text: &str| {
            found.set(found.get() || text.contains(right));
            text.replace(right, wrong)
        };
        let opened = open_changed(&wanted(), change).unwrap();
        assert!(found.get(), "no shader has {right}");
        let proof = prove(opened.executor.as_ref(), Some(codec::jpeg::file));
        assert!(proof.is_err(), "{wrong} is not noticed");
    }
}

#[test]
fn without_the_self_test_a_changed_shader_gives_other_bytes() {
    let change = |text: &str| text.replace("1 << (bits - 1u)", "1 << (bits - 2u)");
    let opened = open_changed(&wanted(), change).unwrap();
    let mut noise = Noise::new(41);
    let jobs: Vec<_> = (0..16).map(|_| any_job(&mut noise, 60)).collect();
    let outputs = opened
        .executor
        .submit(&jobs)
        .unwrap()
        .wait(PATIENCE)
        .unwrap();
    let differs = jobs.iter().zip(outputs).filter(
        |(job, output)| !matches!(output, Ok(Output::Pixels(raster)) if *raster == on_cpu(job)),
    );
    assert!(differs.count() > 4);
}
