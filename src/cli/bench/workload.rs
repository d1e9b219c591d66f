//! The workloads: what is asked of every server, made from a collection and a seed.
//!
//! Pure: equal collections and seeds give equal questions, whatever the servers.

use std::collections::HashSet;

use clap::ValueEnum;
use fastrand::Rng;

use super::collection::Image;
use super::question::Question;
use super::session;

/// A kind of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(super) enum Workload {
    /// A reader panning and zooming: tiles as `info.json` publishes them
    Tiles,
    /// `!200,200` and `,120`, in turn, across the collection
    Thumbnails,
    /// 20 to 70 % of the picture each way, anywhere, 1000 pixels wide
    Regions,
    /// 2000 × 1500 pixels to 800: quarter turns and mirrors, some gray or bitonal
    Rotate,
    /// Whole pictures at full size
    Full,
    /// Information documents
    Info,
    /// Of 100: 85 tiles, 8 thumbnails, 4 documents, 3 regions
    Mixed,
    /// Like rotate, by 22.5°; only if asked for, since not every server turns so
    Angles,
}

impl Workload {
    /// Those that are run unless others are named.
    pub(super) const USUAL: [Self; 7] = [
        Self::Tiles,
        Self::Thumbnails,
        Self::Regions,
        Self::Rotate,
        Self::Full,
        Self::Info,
        Self::Mixed,
    ];

    /// What the command line and reports call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tiles => "tiles",
            Self::Thumbnails => "thumbnails",
            Self::Regions => "regions",
            Self::Rotate => "rotate",
            Self::Full => "full",
            Self::Info => "info",
            Self::Mixed => "mixed",
            Self::Angles => "angles",
        }
    }
}

/// What questions are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    /// The collection, at least one image.
    pub(super) images: &'a [Image],
    /// The format of the answers: `jpg`.
    pub(super) format: &'a str,
    /// Where chance begins.
    pub(super) seed: u64,
}

/// Width of a region's answer, in pixels.
const REGION_WIDTH: u32 = 1000;
/// The part of a picture that is turned, in pixels.
const TURNED: (u32, u32) = (2000, 1500);
/// Width of a turned answer, in pixels.
const TURNED_WIDTH: u32 = 800;

impl Maker<'_> {
    /// `count` questions of a workload, fewer only where the collection allows none.
    pub(super) fn questions(self, workload: Workload, count: usize) -> Vec<Question> {
        let mut rng = self.rng(workload.name());
        let mut order = Order::new(self.images.len());
        let mut questions = Vec::with_capacity(count);
        let mut fruitless = 0;
        while questions.len() < count && fruitless < 2 * self.images.len() + 64 {
            let before = questions.len();
            let turn = questions.len();
            let place = order.next(&mut rng);
            match workload {
                Workload::Tiles => questions.extend(self.tiles(place, &mut rng)),
                Workload::Thumbnails => questions.extend(self.thumbnail(place, turn)),
                Workload::Regions => questions.extend(self.region(place, &mut rng)),
                Workload::Rotate => questions.extend(self.rotate(place, &mut rng)),
                Workload::Angles => {
                    questions.extend(self.turned(place, "22.5", "default", &mut rng));
                }
                Workload::Full => questions.extend(self.full(place)),
                Workload::Info => questions.push(self.info(place)),
                Workload::Mixed => return self.mixed(count),
            }
            fruitless = if questions.len() > before {
                0
            } else {
                fruitless + 1
            };
        }
        questions.truncate(count);
        questions
    }

    fn rng(self, name: &str) -> Rng {
        // FNV-1a: each workload has a chance of its own, whichever others are run.
        let salt = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Rng::with_seed(self.seed ^ salt)
    }

    fn picture(self, place: usize, segments: [&str; 4], canonical: bool) -> Option<Question> {
        let image = self.images.get(place)?;
        Question::picture(place, image.dimensions, segments, canonical)
    }

    fn last(self, quality: &str) -> String {
        format!("{quality}.{}", self.format)
    }

    fn tiles(self, place: usize, rng: &mut Rng) -> Vec<Question> {
        let image = self.images.get(place);
        image.map_or_else(Vec::new, |image| {
            session::read(place, image, &self.last("default"), rng)
        })
    }

    fn thumbnail(self, place: usize, turn: usize) -> Option<Question> {
        let size = if turn.is_multiple_of(2) {
            "!200,200"
        } else {
            ",120"
        };
        let full = self.images.get(place)?.dimensions;
        // What a box does to a picture inside it differs between versions.
        if full.width <= 200 && full.height <= 200 {
            return None;
        }
        self.picture(place, ["full", size, "0", &self.last("default")], false)
    }

    fn region(self, place: usize, rng: &mut Rng) -> Option<Question> {
        let full = self.images.get(place)?.dimensions;
        let mut along = |side: u32| {
            let percent = rng.u32(20..=70);
            let length = (u64::from(side) * u64::from(percent) / 100).max(1);
            let length = u32::try_from(length).unwrap_or(side);
            (rng.u32(0..=side - length), length)
        };
        let ((x, width), (y, height)) = (along(full.width), along(full.height));
        let region = format!("{x},{y},{width},{height}");
        let size = format!("{},", REGION_WIDTH.min(width));
        self.picture(place, [&region, &size, "0", &self.last("default")], false)
    }

    fn rotate(self, place: usize, rng: &mut Rng) -> Option<Question> {
        let rotation = rng.choice(["90", "180", "270", "!0", "!90"])?;
        let quality = rng.choice(["default", "default", "gray", "bitonal"])?;
        self.turned(place, rotation, quality, rng)
    }

    fn turned(
        self,
        place: usize,
        rotation: &str,
        quality: &str,
        rng: &mut Rng,
    ) -> Option<Question> {
        let full = self.images.get(place)?.dimensions;
        let (width, height) = (TURNED.0.min(full.width), TURNED.1.min(full.height));
        let (x, y) = (
            rng.u32(0..=full.width - width),
            rng.u32(0..=full.height - height),
        );
        let region = format!("{x},{y},{width},{height}");
        let size = format!("{},", TURNED_WIDTH.min(width));
        self.picture(
            place,
            [&region, &size, rotation, &self.last(quality)],
            false,
        )
    }

    fn full(self, place: usize) -> Option<Question> {
        let image = self.images.get(place)?;
        image
            .whole
            .then(|| self.picture(place, ["full", "max", "0", &self.last("default")], true))
            .flatten()
    }

    fn info(self, place: usize) -> Question {
        let dimensions = self.images.get(place).map(|image| image.dimensions);
        let dimensions = dimensions.expect("an order counts the images");
        Question::info(place, dimensions)
    }

    fn mixed(self, count: usize) -> Vec<Question> {
        let mut rng = self.rng("mixture");
        let queue = |workload| self.questions(workload, count).into_iter();
        let (mut tiles, mut thumbnails) = (queue(Workload::Tiles), queue(Workload::Thumbnails));
        let (mut infos, mut regions) = (queue(Workload::Info), queue(Workload::Regions));
        let mixture = (0..count).filter_map(|_| match rng.u32(0..100) {
            0..85 => tiles.next(),
            85..93 => thumbnails.next(),
            93..97 => infos.next(),
            _ => regions.next(),
        });
        mixture.collect()
    }
}

/// How many different questions there are.
pub(super) fn distinct(questions: &[Question]) -> usize {
    questions.iter().collect::<HashSet<_>>().len()
}

/// Images in an order of chance, each once before any comes again.
#[derive(Debug)]
struct Order {
    count: usize,
    left: Vec<usize>,
}

impl Order {
    const fn new(count: usize) -> Self {
        Self {
            count,
            left: Vec::new(),
        }
    }

    fn next(&mut self, rng: &mut Rng) -> usize {
        if self.left.is_empty() {
            self.left = (0..self.count).collect();
            rng.shuffle(&mut self.left);
        }
        self.left.pop().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;
    use crate::iiif::Version;

    fn images() -> Vec<Image> {
        [(6000, 4000), (1025, 513), (150, 100)]
            .map(|(width, height)| {
                let dimensions = Dimensions::new(width, height).expect("not empty");
                Image::plain("i", dimensions)
            })
            .into()
    }

    fn maker(images: &[Image], seed: u64) -> Maker<'_> {
        Maker {
            images,
            format: "jpg",
            seed,
        }
    }

    #[test]
    fn every_workload_has_as_many_questions_as_are_wanted_and_the_seed_decides_which() {
        let images = images();
        for workload in Workload::USUAL.into_iter().chain([Workload::Angles]) {
            let of = |seed| maker(&images, seed).questions(workload, 90);
            assert_eq!(of(1).len(), 90, "{workload:?}");
            assert_eq!(of(1), of(1), "{workload:?}");
            assert_ne!(of(1), of(2), "{workload:?}");
        }
    }

    #[test]
    fn thumbnails_and_whole_pictures_are_taken_in_turn_from_the_images_that_allow_them() {
        let mut images = images();
        let thumbnails = maker(&images, 1).questions(Workload::Thumbnails, 40);
        let boxed = |q: &&Question| q.spelt(Version::V2) == "full/!200,200/0/default.jpg";
        assert_eq!(thumbnails.iter().filter(boxed).count(), 20);
        assert!(thumbnails.iter().all(|question| question.image != 2));
        for image in &mut images {
            image.whole = false;
        }
        assert_eq!(maker(&images, 1).questions(Workload::Full, 40), []);
    }

    #[test]
    fn the_mixture_is_that_of_a_reading_room() {
        let images = images();
        let mixed = maker(&images, 1).questions(Workload::Mixed, 1000);
        let documents = mixed.iter().filter(|q| q.spelt(Version::V3) == "info.json");
        assert!((20..70).contains(&documents.count()));
        let boxed = mixed
            .iter()
            .filter(|q| q.spelt(Version::V3).starts_with("full/!200"));
        assert!((20..70).contains(&boxed.count()));
        assert!(distinct(&mixed) > 100);
    }
}
