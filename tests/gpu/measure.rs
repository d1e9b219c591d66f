//! What `bench --gpu` measures, on a job that is as good as none.

use std::sync::Arc;

use triforium::plan::Pass;
use triforium::raster::Channels;
use triforium::render::Target;
use triforium::render::gpu::{Job, Output, Trial, measure};

use crate::device::on_cpu;
use crate::random::{dimensions, picture};

fn trial() -> Trial {
    let job = Job::new(
        picture(dimensions(8, 8), Channels::Rgb, 1),
        vec![Pass::Gray],
        Target::Rows,
    );
    Trial {
        name: "gray",
        expected: Output::Pixels(on_cpu(&job)),
        job: Arc::new(job),
    }
}

#[test]
fn everything_is_measured_and_what_comes_back_is_compared() {
    let mut other = trial();
    let Output::Pixels(raster) = &mut other.expected else {
        panic!("pixels were wanted");
    };
    *raster = picture(dimensions(8, 8), Channels::Gray, 2);
    let adapter = crate::device::wanted().adapter;
    let measured = measure(&adapter, &[trial(), other], &|| 0.0).unwrap();
    assert!(measured.compared > 1000);
    assert_eq!(measured.undone, 0);
    assert!(measured.different > 500 && measured.different < measured.compared - 500);
    for (group, least) in [
        ("submission", 2),
        ("workgroups", 3),
        ("transfer", 6),
        ("batch", 18),
        ("rate", 8),
        ("kernel", 2),
        ("single", 5),
    ] {
        let figures = measured
            .figures
            .iter()
            .filter(|figure| figure.group == group);
        assert!(figures.clone().count() >= least, "{group}");
        let named = figures.filter(|figure| !figure.name.ends_with("processor"));
        assert!(named.clone().all(|figure| figure.value > 0.0), "{group}");
    }
}
