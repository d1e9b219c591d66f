//! Windows of tiles that stay on the device against the same pixels of the host.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use triforium::geometry::{Dimensions, Window};
use triforium::plan::Pass;
use triforium::raster::{Channels, Raster, Shape};
use triforium::render::Target;
use triforium::render::gpu::{
    Executor, Fault, Job, Keep, Mosaic, Opened, Output, Source, TileName, Wanted, open,
};

use crate::device::{DEVICE, PATIENCE, bytes, passed, wanted};
use crate::random::{CHANNELS, Noise, dimensions, passes, picture};

/// A level that is cut into cells; those at its edges are smaller.
struct Level {
    number: u8,
    picture: Raster,
    cell: Dimensions,
}

impl Level {
    fn new(noise: &mut Noise, number: u8, most: u32) -> Self {
        let sides = dimensions(20 + noise.below(most), 20 + noise.below(most));
        let channels = CHANNELS[usize::from(number) % 4];
        Self {
            number,
            picture: picture(sides, channels, number.into()),
            cell: dimensions(16 + noise.below(50), 16 + noise.below(50)),
        }
    }

    fn window(&self, noise: &mut Noise) -> Window {
        let Dimensions { width, height } = self.picture.dimensions();
        let (x, y) = (noise.below(width), noise.below(height));
        Window {
            x,
            y,
            width: 1 + noise.below(width - x),
            height: 1 + noise.below(height - y),
        }
    }

    fn cut(&self, window: Window) -> Raster {
        let all = bytes(&self.picture);
        let channels = self.picture.format().channels;
        let n = channels.count();
        let width = self.picture.dimensions().width as usize;
        let rows = (window.y..window.bottom()).flat_map(|y| {
            let start = (y as usize * width + window.x as usize) * n;
            all[start..start + window.width as usize * n].to_vec()
        });
        Raster::from_u8(window.dimensions(), channels, rows.collect()).unwrap()
    }

    /// The cells that `window` touches, row by row.
    fn places(&self, window: Window) -> Vec<(u32, u32)> {
        let columns = window.x / self.cell.width..window.right().div_ceil(self.cell.width);
        let rows = window.y / self.cell.height..window.bottom().div_ceil(self.cell.height);
        rows.flat_map(|row| columns.clone().map(move |column| (column, row)))
            .collect()
    }

    fn name(&self, (column, row): (u32, u32)) -> TileName {
        TileName {
            master: [self.number; 32],
            factor: 1,
            cell: self.cell,
            column,
            row,
        }
    }

    fn names(&self, window: Window) -> Vec<TileName> {
        let places = self.places(window).into_iter();
        places.map(|place| self.name(place)).collect()
    }

    fn keep(&self, place: (u32, u32)) -> Keep {
        let all = self.picture.dimensions();
        let (x, y) = (place.0 * self.cell.width, place.1 * self.cell.height);
        let window = Window {
            x,
            y,
            width: self.cell.width.min(all.width - x),
            height: self.cell.height.min(all.height - y),
        };
        Keep {
            name: self.name(place),
            pixels: Arc::new(self.cut(window)),
            worth: 1,
        }
    }

    /// The window from the device, if all of it is there.
    fn mosaic(&self, executor: &dyn Executor, window: Window) -> Option<Mosaic> {
        Some(Mosaic {
            shape: Shape {
                dimensions: window.dimensions(),
                format: self.picture.format(),
            },
            cell: self.cell,
            left: window.x % self.cell.width,
            top: window.y % self.cell.height,
            tiles: executor.tiles().unwrap().held(&self.names(window))?,
        })
    }
}

fn run(executor: &dyn Executor, jobs: &[Arc<Job>]) -> Vec<Result<Output, Fault>> {
    executor.submit(jobs).unwrap().wait(PATIENCE).unwrap()
}

fn pixels(output: Result<Output, Fault>) -> Raster {
    match output {
        Ok(Output::Pixels(raster)) => raster,
        other => panic!("{other:?}"),
    }
}

/// A job with what the CPU makes of the same window.
fn resident_job(mosaic: Mosaic, passes: Vec<Pass>) -> Arc<Job> {
    Arc::new(Job {
        source: Source::Resident(mosaic),
        keep: Vec::new(),
        passes,
        target: Target::Rows,
        part: None,
    })
}

/// A device with so little memory that tiles have to leave; one user at a time.
static SMALL: LazyLock<Mutex<Opened>> = LazyLock::new(|| {
    let wanted = Wanted {
        memory_bytes: 64 << 20,
        ..wanted()
    };
    Mutex::new(open(&wanted).unwrap())
});

#[test]
fn windows_of_tiles_are_the_hosts_whatever_came_and_left() {
    let small = SMALL.lock().unwrap();
    let executor = small.executor.as_ref();
    let mut noise = Noise::new(31);
    let levels: Vec<_> = (1..9).map(|n| Level::new(&mut noise, n, 300)).collect();
    let mut kinds: HashMap<&str, usize> = HashMap::new();
    for _ in 0..60 {
        let (mut jobs, mut rights) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let level = &levels[noise.below(8) as usize];
            let window = level.window(&mut noise);
            let host = level.cut(window);
            let shape = Shape {
                dimensions: host.dimensions(),
                format: host.format(),
            };
            let passes = passes(&mut noise, shape, 80);
            rights.push(passed(&host, &passes));
            jobs.push(if let Some(mosaic) = level.mosaic(executor, window) {
                *kinds.entry("resident").or_default() += 1;
                resident_job(mosaic, passes)
            } else {
                let tiles = executor.tiles().unwrap();
                let wanted = tiles.want(&level.names(window));
                let places = level.places(window).into_iter().zip(wanted);
                let keep: Vec<_> = places
                    .filter(|(_, comes)| *comes)
                    .map(|(place, _)| level.keep(place))
                    .collect();
                *kinds.entry("kept").or_default() += keep.len();
                let job = Job::new(host, passes, Target::Rows);
                Arc::new(Job { keep, ..job })
            });
        }
        for (output, right) in run(executor, &jobs).into_iter().zip(rights) {
            assert!(pixels(output) == right);
        }
    }
    assert!(kinds["resident"] > 30, "{kinds:?}");
    assert!(kinds["kept"] > 100, "{kinds:?}");
}

/// A level with one large cell of its own.
fn large(number: u8) -> Level {
    let sides = dimensions(1024, 1024);
    Level {
        number,
        picture: picture(sides, Channels::Rgb, number.into()),
        cell: sides,
    }
}

#[test]
fn tiles_leave_for_others_and_what_is_there_is_right() {
    let small = SMALL.lock().unwrap();
    let executor = small.executor.as_ref();
    let levels: Vec<_> = (100..116).map(large).collect();
    let window = Window {
        x: 500,
        y: 300,
        width: 40,
        height: 20,
    };
    for level in &levels {
        let job = Job::new(level.cut(window), Vec::new(), Target::Rows);
        let keep = vec![level.keep((0, 0))];
        run(executor, &[Arc::new(Job { keep, ..job })]);
    }
    let mut there = 0;
    for level in &levels {
        if let Some(mosaic) = level.mosaic(executor, window) {
            there += 1;
            let output = run(executor, &[resident_job(mosaic, Vec::new())]).remove(0);
            assert!(pixels(output) == level.cut(window));
        }
    }
    // 32 MiB hold ten tiles of 3 MiB.
    assert!((8..=10).contains(&there), "{there}");
}

#[test]
fn tiles_of_another_device_are_unfit() {
    let small = SMALL.lock().unwrap();
    let mut noise = Noise::new(33);
    let level = Level::new(&mut noise, 60, 40);
    let window = level.window(&mut noise);
    let keep = level.places(window).into_iter();
    let keep = keep.map(|place| level.keep(place)).collect();
    let job = Job::new(level.cut(window), Vec::new(), Target::Rows);
    run(small.executor.as_ref(), &[Arc::new(Job { keep, ..job })]);
    let mosaic = level.mosaic(small.executor.as_ref(), window).unwrap();
    let jobs = [resident_job(mosaic, Vec::new())];
    assert_eq!(run(DEVICE.executor.as_ref(), &jobs), [Err(Fault::Unfit)]);
    let output = run(small.executor.as_ref(), &jobs).remove(0);
    assert!(pixels(output) == level.cut(window));
}
