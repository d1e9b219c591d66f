//! Levels that are remembered stand in for the decoder, and change no pixel.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::cancel::Cancel;
use crate::codec::Picture;
use crate::geometry::{Dimensions, Window};
use crate::iiif::{Identifier, ImageRequest, Version};
use crate::plan::Pass;
use crate::raster::{RowSink as _, Samples, gather};
use crate::render::gpu::GpuMode;
use crate::render::{CpuEngine, Engine as _, Output, Target};
use crate::service::{Answer, Ask, Config, Resources, Rung, Service};
use crate::source::{self, FileSource};

const PICTURE: &str = "cat-progressive.jpg";

fn service(tiles_bytes: u64) -> Service {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    let source = source::Config {
        root,
        ..source::Config::default()
    };
    let source = FileSource::new(&source).expect("valid");
    let mut config = Config::default();
    config.cache.derivative.memory_bytes = 0;
    config.cache.levels.disk_bytes = 0;
    config.cache.tiles.memory_bytes = tiles_bytes;
    config.gpu.mode = GpuMode::Off;
    let resources = Resources {
        threads: 2,
        memory_bytes: 4 << 30,
    };
    Service::new(&config, source, Duration::from_secs(9), resources).expect("threads")
}

async fn ask(service: &Service, request: &str) -> (Rung, Vec<u8>) {
    let segments: Vec<_> = request.split('/').collect();
    let request = ImageRequest::parse(Version::V3, &segments, None).expect("valid");
    let ask = Ask {
        unchanged: &|_| false,
        head: false,
        accept: None,
    };
    let answer = service.image(&request, ask).await.expect("it is made");
    let Answer::Whole(head, body) = answer else {
        panic!("not whole: {answer:?}");
    };
    (head.rung, body.to_vec())
}

/// Cells of a picture, cut out of whole levels that were decoded at once.
#[derive(Debug)]
struct Levels {
    picture: Arc<dyn Picture>,
    asked: AtomicU32,
    /// Cells in columns from here on are not there.
    columns: u32,
}

impl Levels {
    fn whole(&self, factor: ScaleFactor, cancel: &Cancel) -> Result<Raster> {
        let levels = self.picture.facts().pyramid.levels();
        let fits = |level: &crate::geometry::Level| factor.get().is_multiple_of(level.factor.get());
        let index = levels.iter().rposition(fits).expect("factor 1 fits");
        let level = levels[index];
        let rows = (self.picture).decode(index, level.dimensions.window(), cancel)?;
        let times = (factor.get() / level.factor.get()).trailing_zeros();
        let times = u8::try_from(times).expect("below 32");
        let passes = [Pass::Shrink { times }];
        let passes = if times == 0 { &[][..] } else { &passes };
        let Output::Rows(mut rows) =
            CpuEngine::default().run(rows, passes, Target::Rows, cancel)?
        else {
            return Err(crate::error::Error::internal("shrinking to a file"));
        };
        gather(rows.as_mut(), cancel)
    }
}

impl TileSource for Levels {
    fn has(&self, _: ScaleFactor) -> bool {
        true
    }

    fn tile(
        &self,
        factor: ScaleFactor,
        column: u32,
        row: u32,
        cancel: &Cancel,
    ) -> Result<Option<Raster>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if column >= self.columns {
            return Ok(None);
        }
        let whole = self.whole(factor, cancel)?;
        let Dimensions { width, height } = whole.dimensions();
        let (x, y) = (column * CELL_SIDE_PX, row * CELL_SIDE_PX);
        let window = Window {
            x,
            y,
            width: CELL_SIDE_PX.min(width - x),
            height: CELL_SIDE_PX.min(height - y),
        };
        let mut canvas = copy::Canvas::new(window.dimensions(), whole.format())?;
        canvas.paste(&whole, window, 0, 0)?;
        canvas.finish().map(Some)
    }
}

async fn remember(service: &Service, columns: u32) -> Arc<Levels> {
    let identifier = Identifier::new(PICTURE).expect("valid");
    let master = service.master(&identifier).await.expect("there");
    let levels = Arc::new(Levels {
        picture: Arc::clone(&master.picture),
        asked: AtomicU32::new(0),
        columns,
    });
    let source: Arc<dyn TileSource> = Arc::clone(&levels) as Arc<dyn TileSource>;
    master.remember(source);
    levels
}

/// Requests at full size, at a level of the decoder, at halved ones, across cells and beside them.
const REQUESTS: [&str; 6] = [
    "full/max/0/default.png",
    "full/!300,300/0/default.png",
    "full/!40,40/0/gray.png",
    "0,0,256,256/max/0/default.png",
    "37,51,300,211/150,/90/default.png",
    "100,20,290,200/max/!0/default.png",
];

#[tokio::test]
async fn remembered_levels_stand_in_for_the_decoder_and_change_no_pixel() {
    let plain = service(0);
    for (tiles_bytes, again) in [(0, Rung::Levels), (64 << 20, Rung::Resident)] {
        let service = service(tiles_bytes);
        let levels = remember(&service, u32::MAX).await;
        for request in REQUESTS {
            let request = format!("{PICTURE}/{request}");
            let (_, expected) = ask(&plain, &request).await;
            let (rung, body) = ask(&service, &request).await;
            assert!(body == expected, "{request}: other bytes");
            assert!(matches!(rung, Rung::Levels | Rung::Resident), "{rung:?}");
            let (rung, body) = ask(&service, &request).await;
            assert!(body == expected, "{request}: other bytes");
            assert_eq!(rung, again, "{request}");
        }
        assert!(levels.asked.load(Ordering::Relaxed) > 0);
    }
}

#[tokio::test]
async fn a_cell_that_is_not_there_is_decoded() {
    let (plain, service) = (service(0), service(0));
    let levels = remember(&service, 1).await;
    for request in REQUESTS {
        let request = format!("{PICTURE}/{request}");
        let (_, expected) = ask(&plain, &request).await;
        let (_, body) = ask(&service, &request).await;
        assert!(body == expected, "{request}: other bytes");
    }
    assert!(levels.asked.load(Ordering::Relaxed) > 0);
}

#[test]
fn pasting_where_there_is_no_place_is_refused() {
    let dimensions = Dimensions::new(3, 2).expect("not empty");
    let gray = crate::raster::Channels::Gray;
    let source = Raster::new(dimensions, gray, Samples::U8(vec![1, 2, 3, 4, 5, 6]));
    let source = source.expect("it fits");
    let mut canvas = copy::Canvas::new(dimensions, source.format()).expect("small");
    let part = Window {
        x: 1,
        y: 0,
        width: 2,
        height: 2,
    };
    assert!(canvas.paste(&source, part, 2, 0).is_err());
    assert!(
        canvas
            .paste(&source, Window { x: 2, ..part }, 0, 0)
            .is_err()
    );
    canvas.paste(&source, part, 1, 0).expect("both have it");
    let pasted = canvas.finish().expect("whole");
    assert_eq!(*pasted.samples(), Samples::U8(vec![0, 2, 3, 0, 5, 6]));
}
