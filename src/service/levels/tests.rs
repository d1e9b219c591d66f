//! Built levels hold exactly the pixels of a decode, for every kind of master; builds that must not be
//! made are not made.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::cancel::Cancel;
use crate::codec::DecodeLimits;
use crate::error::ErrorKind;
use crate::geometry::Window;
use crate::iiif::Identifier;
use crate::plan::Pass;
use crate::raster::{Raster, gather};
use crate::render::{CpuEngine, Engine as _, Output, Target};
use crate::service::admission::{Lane, LaneLimits};
use crate::service::masters::Masters;
use crate::service::overlays::Overlays;
use crate::service::tiles::CELL_SIDE_PX;
use crate::source::{self, FileSource};

const LIMITS: BuildLimits = BuildLimits {
    bytes_per_second: 1 << 40,
    decode_bytes: 1 << 30,
};

/// Masters of a folder, and a store for their levels.
struct House {
    masters: Arc<Masters>,
    levels: Arc<Levels>,
    lane: Arc<Lane>,
    directory: tempfile::TempDir,
}

impl House {
    fn new(root: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let mut config = CacheConfig {
            directory: directory.path().to_owned(),
            ..CacheConfig::default()
        };
        // Builds are made by the tests themselves.
        config.levels.build_mib_per_second = 0;
        let source = source::Config {
            root: root.to_owned(),
            ..source::Config::default()
        };
        let source = Arc::new(FileSource::new(&source).expect("valid"));
        let levels = Arc::new(Levels::new(&config, source.folders(), 0));
        let limits = DecodeLimits::default();
        let kept = Arc::clone(&levels);
        let masters = Masters::new(
            source,
            kept,
            Overlays::none(),
            99,
            limits,
            Duration::ZERO,
            true,
        );
        let lane = LaneLimits {
            threads: 1,
            bytes: 1,
            queue_length: 1,
            queue_time: Duration::from_secs(9),
        };
        Self {
            masters: Arc::new(masters),
            levels,
            lane: Arc::new(Lane::new("info", lane)),
            directory,
        }
    }

    async fn open(&self, name: &str) -> Arc<Master> {
        let identifier = Identifier::new(name).expect("valid");
        let seen = self.masters.get(&identifier, &self.lane).await;
        seen.expect("it is there").master
    }

    fn builder(&self, limits: BuildLimits) -> Builder {
        let store = self.levels.store.clone().expect("writable");
        Builder::new(store, limits, Cancel::new())
    }
}

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder)
}

/// The whole level with `factor`, decoded and halved as a plan does it.
fn level(picture: &dyn Picture, factor: u32) -> Raster {
    let levels = picture.facts().pyramid.levels();
    let divides = |level: &crate::geometry::Level| factor.is_multiple_of(level.factor.get());
    let index = levels.iter().rposition(divides).expect("factor 1 does");
    let base = levels[index].factor;
    let times = (factor / base.get()).trailing_zeros();
    let window = picture.facts().pyramid.dimensions().reduced(base).window();
    let rows = picture
        .decode(index, window, &Cancel::new())
        .expect("whole");
    let passes = [Pass::Shrink {
        times: u8::try_from(times).expect("small"),
    }];
    let passes = if times == 0 { &[][..] } else { &passes };
    let output = CpuEngine::default().run(rows, passes, Target::Rows, &Cancel::new());
    let Ok(Output::Rows(mut rows)) = output else {
        panic!("no rows")
    };
    gather(rows.as_mut(), &Cancel::new()).expect("whole")
}

/// A part of a raster, one sample at a time.
fn part(raster: &Raster, window: Window) -> Vec<u16> {
    let channels = raster.format().channels.count();
    let sample = |at: usize| match raster.samples() {
        crate::raster::Samples::U8(all) => u16::from(all[at]),
        crate::raster::Samples::U16(all) => all[at],
    };
    let mut samples = Vec::new();
    for y in window.y..window.bottom() {
        let row = y as usize * raster.row_len();
        let from = row + window.x as usize * channels;
        let to = row + window.right() as usize * channels;
        samples.extend((from..to).map(sample));
    }
    samples
}

/// Every level that is worth storing, decoded.
fn decoded(master: &Master) -> Vec<Raster> {
    let picture = master.picture.as_ref();
    let ladder = Ladder::new(picture.facts());
    let steps = ladder.stored();
    steps
        .map(|step| level(picture, step.factor.get()))
        .collect()
}

/// Every cell of every level equals the same part of a decode; gives the levels' factors.
fn check(master: &Master, stored: &dyn TileSource, decoded: &[Raster]) -> Vec<u32> {
    let picture = master.picture.as_ref();
    let ladder = Ladder::new(picture.facts());
    assert_eq!(ladder.stored().count(), decoded.len());
    for (step, whole) in ladder.stored().zip(decoded) {
        assert!(stored.has(step.factor));
        assert_eq!(whole.dimensions(), step.dimensions);
        for row in 0..step.dimensions.height.div_ceil(CELL_SIDE_PX) {
            for column in 0..step.dimensions.width.div_ceil(CELL_SIDE_PX) {
                let cell = stored.tile(step.factor, column, row, &Cancel::new());
                let cell = cell.expect("not cancelled").expect("stored");
                let window = Window {
                    x: column * CELL_SIDE_PX,
                    y: row * CELL_SIDE_PX,
                    width: cell.dimensions().width,
                    height: cell.dimensions().height,
                };
                assert_eq!(cell.format(), picture.facts().pixel);
                let right = (window.x + CELL_SIDE_PX).min(step.dimensions.width);
                let bottom = (window.y + CELL_SIDE_PX).min(step.dimensions.height);
                assert_eq!((window.right(), window.bottom()), (right, bottom));
                let own = part(&cell, cell.dimensions().window());
                assert!(
                    own == part(whole, window),
                    "cell {column}, {row} of factor {}",
                    step.factor.get()
                );
            }
        }
    }
    ladder.stored().map(|step| step.factor.get()).collect()
}

#[tokio::test]
async fn cells_are_the_pixels_of_a_decode_and_are_found_again() {
    for (folder, name, most) in [
        ("images", "iiif-test-image.png", 1024),
        ("images", "iiif-test-image.jp2", 1024),
        ("images", "palace-12-bit.j2k", 1024),
        ("images", "college-palette.jp2", 1024),
    ] {
        let house = House::new(&fixtures(folder));
        let master = house.open(name).await;
        let account = master.account.clone().expect("worth it");
        assert!(master.levels().is_none());
        let decoded = decoded(&master);
        let built = house.builder(LIMITS).build(&master, &account);
        let factors = check(&master, &built.expect("built"), &decoded);
        assert_eq!(factors.first(), Some(&1), "{name}");
        assert_eq!(factors.last(), Some(&most), "{name}");
        // A decoder that may hold little works in bands.
        let tight = BuildLimits {
            decode_bytes: 22 << 20,
            ..LIMITS
        };
        let built = house.builder(tight).build(&master, &account);
        check(&master, &built.expect("built"), &decoded);
        // Whoever opens it anew finds them.
        house.masters.forget(&Identifier::new(name).expect("valid"));
        let again = house.open(name).await;
        check(&again, again.levels().expect("found").as_ref(), &decoded);
    }
}

/// A folder with a PNG of noise, 700 × 600.
fn folder_with_noise() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_noise(&folder.path().join("noise.png"), 1);
    folder
}

fn write_noise(path: &Path, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let pixels: Vec<u8> = (0..700 * 600 * 3).map(|_| random.u8(..)).collect();
    let dimensions = crate::geometry::Dimensions::new(700, 600).expect("not empty");
    let channels = crate::raster::Channels::Rgb;
    let raster = Raster::from_u8(dimensions, channels, pixels).expect("filled");
    let mut rows = crate::raster::OneStrip::from(raster);
    let mut file = Vec::new();
    let settings = crate::encoding::EncodeSettings::default();
    let encoding = codec::Encoding {
        format: crate::iiif::Format::Png,
        settings: &settings,
        attached: &codec::Attached::default(),
    };
    codec::encode(encoding, &mut rows, &Cancel::new(), &mut file).expect("encoded");
    fs::write(path, file).expect("written");
}

#[tokio::test]
async fn a_master_that_changes_meanwhile_is_not_stored() {
    let folder = folder_with_noise();
    let house = House::new(folder.path());
    let master = house.open("noise").await;
    let account = master.account.clone().expect("worth it");
    // The same length, written in place.
    let path = folder.path().join("noise.png");
    let bytes = fs::read(&path).expect("readable");
    fs::write(&path, bytes).expect("written");
    let error = house.builder(LIMITS).build(&master, &account);
    assert_eq!(error.expect_err("changed").kind(), ErrorKind::Upstream);
    assert_eq!(house.levels.store.as_ref().expect("there").bytes(), 0);
    // One that was replaced has another key.
    write_noise(&folder.path().join("next"), 2);
    fs::rename(folder.path().join("next"), &path).expect("renamed");
    let replaced = house.open("noise").await;
    let other = replaced.account.clone().expect("worth it");
    assert_ne!(other.key, account.key);
    let built = house.builder(LIMITS).build(&replaced, &other);
    check(&replaced, &built.expect("built"), &decoded(&replaced));
    assert!(
        house
            .levels
            .find(&account.key, master.picture.as_ref())
            .is_none()
    );
}

#[tokio::test]
async fn a_cancelled_build_leaves_nothing_and_a_slow_one_keeps_to_its_rate() {
    let folder = folder_with_noise();
    let house = House::new(folder.path());
    let master = house.open("noise").await;
    let account = master.account.clone().expect("worth it");
    let slow = BuildLimits {
        bytes_per_second: 1,
        ..LIMITS
    };
    let builder = house.builder(slow);
    let cancel = builder.cancel();
    let waiting = thread::spawn(move || {
        // The first cell is written, then the build waits for days.
        thread::sleep(Duration::from_millis(200));
        cancel.cancel();
    });
    let error = builder.build(&master, &account).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    waiting.join().expect("no panic");
    let left = walk(house.directory.path());
    assert_eq!(left, Vec::<PathBuf>::new());
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test]
async fn a_decoder_that_needs_more_memory_than_builds_have_is_left_alone() {
    let folder = folder_with_noise();
    let house = House::new(folder.path());
    let master = house.open("noise").await;
    let account = master.account.clone().expect("worth it");
    let tight = BuildLimits {
        decode_bytes: 1,
        ..LIMITS
    };
    let error = house.builder(tight).build(&master, &account);
    assert_eq!(error.expect_err("too large").kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn one_decode_of_all_pixels_costs_less_than_a_build() {
    for (folder, name) in [
        ("images", "iiif-test-image.png"),
        ("images", "iiif-test-image.jp2"),
    ] {
        let house = House::new(&fixtures(folder));
        let master = house.open(name).await;
        let account = master.account.clone().expect("worth it");
        let whole = master.facts().pyramid.dimensions().window();
        account.spend(master.picture.price(0, whole).pixels);
        assert!(!account.is_due(), "{name}");
        for _ in 0..4 {
            account.spend(master.picture.price(0, whole).pixels);
        }
        assert!(account.is_due(), "{name}");
    }
}

#[test]
fn a_place_among_the_masters_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = CacheConfig {
        directory: folder.path().join("masters/cache"),
        ..CacheConfig::default()
    };
    let roots = [folder.path().join("masters")];
    assert!(Levels::new(&config, &roots, 0).store.is_none());
    assert!(!config.directory.exists());
    let elsewhere = [folder.path().join("others")];
    assert!(Levels::new(&config, &elsewhere, 0).store.is_some());
}

#[test]
fn a_place_that_cannot_be_written_is_not_used() {
    let config = CacheConfig {
        directory: PathBuf::from("/proc/triforium"),
        ..CacheConfig::default()
    };
    assert!(Levels::new(&config, &[], 0).store.is_none());
}
