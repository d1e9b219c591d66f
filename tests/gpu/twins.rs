//! Every kernel against its twin, alone, together, and at the edges of its tiles.

use std::sync::Arc;

use triforium::geometry::Orientation;
use triforium::plan::{Crop, Filter, Pass};
use triforium::raster::Channels;
use triforium::render::gpu::Job;

use crate::device::{assert_twins, on_device};
use crate::random::{CHANNELS, Noise, any_job, dimensions, job, picture, resample, turn};

/// Sides at and around the edges of words, groups, tiles and workgroups.
const SIDES: [u32; 12] = [1, 2, 3, 4, 5, 7, 31, 32, 33, 64, 65, 127];

fn every_side(mut make: impl FnMut(u32, u32, Channels, u64) -> Arc<Job>) -> Vec<Arc<Job>> {
    let mut jobs = Vec::new();
    for (index, width) in SIDES.into_iter().enumerate() {
        for channels in CHANNELS {
            let height = SIDES[(index * 5 + channels.count()) % SIDES.len()];
            jobs.push(make(width, height, channels, jobs.len() as u64));
        }
    }
    jobs
}

#[test]
fn random_jobs_of_every_kind_in_one_batch_are_the_cpus_to_the_byte() {
    let mut noise = Noise::new(7);
    let mut jobs: Vec<_> = (0..88).map(|_| any_job(&mut noise, 160)).collect();
    jobs.extend((0..8).map(|_| any_job(&mut noise, 700)));
    assert_twins(&jobs);
}

#[test]
fn nothing_to_do_is_done() {
    assert_twins(&every_side(|width, height, channels, seed| {
        job(picture(dimensions(width, height), channels, seed), vec![])
    }));
}

#[test]
fn boxes_at_every_side() {
    assert_twins(&every_side(|width, height, channels, seed| {
        let times = 1 + (seed % 3) as u8;
        let source = picture(dimensions(width, height), channels, seed);
        job(source, vec![Pass::Shrink { times }])
    }));
}

#[test]
fn resampling_at_every_side() {
    let mut noise = Noise::new(8);
    assert_twins(&every_side(|width, height, channels, seed| {
        let sides = dimensions(width, height);
        let pass = resample(&mut noise, sides, 140);
        job(picture(sides, channels, seed), vec![pass])
    }));
}

#[test]
fn outer_samples_on_source_samples() {
    let jobs: Vec<_> = [(2.25, 8.0, 16), (2.5, 8.25, 33), (2.75, 8.0, 16)]
        .into_iter()
        .flat_map(|(start, length, target)| {
            CHANNELS.map(|channels| {
                let pass = Pass::Resample {
                    crop: Crop {
                        x: start,
                        y: start,
                        width: length,
                        height: length,
                    },
                    target: dimensions(target, target),
                    filter: Filter::CatmullRom,
                };
                job(picture(dimensions(16, 16), channels, 3), vec![pass])
            })
        })
        .collect();
    assert_twins(&jobs);
}

#[test]
fn the_eight_orientations_at_every_side() {
    assert_twins(&every_side(|width, height, channels, seed| {
        let orientation = Orientation {
            mirror: seed % 2 == 1,
            turns: (seed / 2 % 4) as u8,
        };
        let source = picture(dimensions(width, height), channels, seed);
        job(source, vec![Pass::Orient(orientation)])
    }));
}

#[test]
fn turns_by_any_angle_at_every_side() {
    let mut noise = Noise::new(9);
    assert_twins(&every_side(|width, height, channels, seed| {
        let sides = dimensions(width, height);
        let pass = turn(&mut noise, sides);
        job(picture(sides, channels, seed), vec![pass])
    }));
}

#[test]
fn tones_and_backgrounds_at_every_side() {
    assert_twins(&every_side(|width, height, channels, seed| {
        let flatten = Pass::Flatten {
            background: [30, 200, 90],
        };
        let passes = match seed % 4 {
            0 => vec![Pass::Gray],
            1 => vec![Pass::Bitonal],
            2 => vec![flatten],
            _ => vec![flatten, Pass::Gray],
        };
        job(picture(dimensions(width, height), channels, seed), passes)
    }));
}

#[test]
fn a_job_is_the_same_wherever_it_stands_in_whatever_batch() {
    let mut noise = Noise::new(10);
    let jobs: Vec<_> = (0..24).map(|_| any_job(&mut noise, 90)).collect();
    let together = on_device(&jobs);
    let backwards: Vec<_> = jobs.iter().rev().cloned().collect();
    let mut backwards = on_device(&backwards);
    backwards.reverse();
    assert_eq!(together, backwards);
    let mut apart = Vec::new();
    for some in jobs.chunks(5) {
        apart.extend(on_device(some));
    }
    assert_eq!(together, apart);
    assert!(together.iter().all(Result::is_ok));
}
