//! `make corpus TRIFORIUM_CORPUS=DIR`: every file of a folder is opened and decoded at every level, strip
//! by strip. A damaged or foreign file may be refused; what fails the run is a panic or an internal error.
//! Without the variable the fixtures are the corpus. What the pixels are is compared by
//! `tests/tools/corpus.sh`, which the same target runs.

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use triforium::cancel::Cancel;
use triforium::codec::{self, DecodeLimits, Picture};
use triforium::error::{Error, ErrorKind};
use triforium::geometry::Window;
use triforium::reader::RangeReader;

use super::support::fixtures;

/// Fewest files that the fixtures give; a corpus that has vanished must not pass.
const FLOOR: usize = 100;

#[test]
fn every_file_decodes_or_is_refused_in_words() {
    codec::draw_pages_by(env!("CARGO_BIN_EXE_triforium"));
    let named = env::var_os("TRIFORIUM_CORPUS").filter(|named| !named.is_empty());
    let named = named.map(PathBuf::from);
    let files = files(&named.clone().unwrap_or_else(fixtures));
    let floor = if named.is_some() { 1 } else { FLOOR };
    assert!(files.len() >= floor, "only {} files", files.len());
    let mut faults = Vec::new();
    let mut decoded = 0;
    for path in &files {
        let outcome = outcome(path);
        println!("{}\t{}", path.display(), outcome.words);
        decoded += usize::from(outcome.decoded);
        if outcome.fault {
            faults.push(format!("{}: {}", path.display(), outcome.words));
        }
    }
    println!("{decoded} of {} files decode", files.len());
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(
        named.is_some() || decoded >= FLOOR,
        "only {decoded} fixtures decode"
    );
}

/// Every file below `folder`, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file's line in the table.
struct Outcome {
    words: String,
    decoded: bool,
    fault: bool,
}

fn outcome(path: &Path) -> Outcome {
    let bytes = fs::read(path).unwrap();
    match catch_unwind(AssertUnwindSafe(|| decode(bytes))) {
        Ok(Ok(words)) => Outcome {
            words,
            decoded: true,
            fault: false,
        },
        Ok(Err(error)) => Outcome {
            words: format!("{:?}\t{}", error.kind(), error.chain()),
            decoded: false,
            fault: error.kind() == ErrorKind::Internal,
        },
        Err(_) => Outcome {
            words: "panic".to_owned(),
            decoded: false,
            fault: true,
        },
    }
}

/// Decodes the whole of every level and says what the master is.
fn decode(bytes: Vec<u8>) -> Result<String, Error> {
    let reader: Arc<dyn RangeReader> = Arc::new(bytes);
    let picture = codec::open(reader, 1, &DecodeLimits::default())?;
    let facts = picture.facts();
    for index in 0..facts.pyramid.levels().len() {
        decode_level(&*picture, index)?;
    }
    Ok(format!(
        "ok\t{}\t{}\t{} levels",
        facts.pyramid.dimensions(),
        facts.description,
        facts.pyramid.levels().len()
    ))
}

fn decode_level(picture: &dyn Picture, index: usize) -> Result<(), Error> {
    let dimensions = picture.facts().pyramid.levels()[index].dimensions;
    let window = Window {
        x: 0,
        y: 0,
        width: dimensions.width,
        height: dimensions.height,
    };
    let mut rows = picture.decode(index, window, &Cancel::new())?;
    let mut height = 0;
    while let Some(strip) = rows.next_strip()? {
        assert_eq!(strip.dimensions().width, dimensions.width);
        height += strip.dimensions().height;
    }
    assert_eq!(height, dimensions.height, "level {index} lacks rows");
    Ok(())
}
