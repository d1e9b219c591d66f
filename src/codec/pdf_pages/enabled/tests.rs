//! Files that are made here, drawn in this process.

use std::fmt::Write as _;

use super::job::{Answer, Job, Paper, Refusal, hear};
use super::worker;
use crate::error::ErrorKind;

/// A file of these objects, from 1; the first is the catalogue.
fn file(objects: &[String]) -> Vec<u8> {
    let mut text = "%PDF-1.7\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(text.len());
        writeln!(text, "{number} 0 obj\n{object}\nendobj").unwrap();
    }
    let start = text.len();
    writeln!(text, "xref\n0 {}\n0000000000 65535 f ", objects.len() + 1).unwrap();
    for place in places {
        writeln!(text, "{place:010} 00000 n ").unwrap();
    }
    let size = objects.len() + 1;
    writeln!(
        text,
        "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF"
    )
    .unwrap();
    text.into_bytes()
}

fn stream(dictionary: &str, content: &str) -> String {
    let length = content.len();
    format!("<< {dictionary} /Length {length} >>\nstream\n{content}\nendstream")
}

/// Pages with these entries and contents, which may draw the object 3 as /X.
fn pages(pages: &[(&str, &str)], object: &str) -> Vec<u8> {
    let numbers = (0..pages.len()).map(|index| format!("{} 0 R ", 4 + 2 * index));
    let kids: String = numbers.collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()),
        object.to_owned(),
    ];
    for (index, (entries, content)) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Contents {} 0 R /Resources << /XObject << /X 3 0 R >> >> {entries} >>",
            5 + 2 * index
        ));
        objects.push(stream("", content));
    }
    file(&objects)
}

/// A page of 72 × 36 units: red above at the left, blue below at the right.
const HALVES: (&str, &str) = (
    "/MediaBox [0 0 72 36]",
    "1 0 0 rg 0 18 36 18 re f 0 0 1 rg 36 0 36 18 re f",
);

fn answered(file: &[u8], job: Job) -> (Answer, Vec<u8>) {
    let job = Job {
        length: file.len() as u64,
        ..job
    };
    let mut output = Vec::new();
    worker::serve(&job, file, &mut output).unwrap();
    let mut rest = output.as_slice();
    let answer = hear(&mut rest).unwrap();
    assert!(job.rows || rest.is_empty());
    (answer, rest.to_vec())
}

const JOB: Job = Job {
    page: 1,
    dpi: 72,
    length: 0,
    bytes: 256 << 20,
    seconds: 60,
    damaged: false,
    rows: true,
};

/// The pixels of a page, with its width and height.
fn drawn(file: &[u8], job: Job) -> (u32, u32, Vec<[u8; 3]>) {
    let (answer, rows) = answered(file, job);
    let paper = answer.unwrap();
    let (pixels, rest) = rows.as_chunks::<3>();
    assert!(rest.is_empty());
    assert_eq!(pixels.len(), (paper.width * paper.height) as usize);
    (paper.width, paper.height, pixels.to_vec())
}

fn found(file: &[u8], page: u32, dpi: u32) -> Answer {
    let job = Job {
        page,
        dpi,
        rows: false,
        ..JOB
    };
    answered(file, job).0
}

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255; 3];

#[test]
fn what_is_drawn_lies_where_the_page_has_it_on_white() {
    for dpi in [72, 144] {
        let (width, height, pixels) = drawn(&pages(&[HALVES], "null"), Job { dpi, ..JOB });
        assert_eq!((width, height), (dpi, dpi / 2));
        for (index, pixel) in (0..).zip(pixels) {
            let (x, y) = (index % width, index / width);
            let wanted = match (x < width / 2, y < height / 2) {
                (true, true) => RED,
                (false, false) => BLUE,
                _ => WHITE,
            };
            assert_eq!(pixel, wanted, "{x} {y}");
        }
    }
}

#[test]
fn pictures_keep_their_colours() {
    let picture = stream(
        "/Type /XObject /Subtype /Image /Width 2 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /ASCIIHexDecode",
        "0A141E 28323C>",
    );
    let page = ("/MediaBox [0 0 8 4]", "8 0 0 4 0 0 cm /X Do");
    let (width, _, pixels) = drawn(&pages(&[page], &picture), JOB);
    assert_eq!(width, 8);
    assert_eq!((pixels[0], pixels[7]), ([10, 20, 30], [40, 50, 60]));
}

#[test]
fn pages_are_as_large_as_their_boxes_turns_and_units_say() {
    let size = |entries: &str, dpi| {
        let paper = found(&pages(&[(entries, "")], "null"), 1, dpi).unwrap();
        (paper.width, paper.height)
    };
    assert_eq!(size("/MediaBox [0 0 612 792]", 150), (1275, 1650));
    assert_eq!(size("/MediaBox [-10 -20 62 16]", 72), (72, 36));
    assert_eq!(size("/MediaBox [0 0 72 36] /Rotate 90", 72), (36, 72));
    assert_eq!(size("/MediaBox [0 0 72 36] /Rotate 180", 72), (72, 36));
    assert_eq!(size("/MediaBox [0 0 72 36] /UserUnit 2.5", 72), (180, 90));
    assert_eq!(
        size("/MediaBox [0 0 72 36] /CropBox [10 10 30 20]", 72),
        (20, 10)
    );
    // Halves are rounded, and nothing is smaller than a pixel.
    assert_eq!(size("/MediaBox [0 0 72.6 1]", 36), (36, 1));
    assert_eq!(size("/MediaBox [0 0 73 72]", 36), (37, 36));
}

#[test]
fn a_turned_page_is_drawn_turned() {
    let turned = format!("{} /Rotate 90", HALVES.0);
    let (width, height, pixels) = drawn(&pages(&[(&turned, HALVES.1)], "null"), JOB);
    assert_eq!((width, height), (36, 72));
    // Clockwise: what was above at the left is above at the right.
    let at = |x: u32, y: u32| pixels[(y * width + x) as usize];
    assert_eq!(
        [at(5, 5), at(30, 5), at(5, 60), at(30, 60)],
        [WHITE, RED, BLUE, WHITE]
    );
}

#[test]
fn each_page_is_its_own() {
    let small = ("/MediaBox [0 0 9 9]", "0 0 1 rg 0 0 9 9 re f");
    let file = pages(&[HALVES, small], "null");
    let paper = |width, height| Paper {
        pages: 2,
        width,
        height,
    };
    assert_eq!(found(&file, 1, 72), Ok(paper(72, 36)));
    assert_eq!(found(&file, 2, 72), Ok(paper(9, 9)));
    assert_eq!(drawn(&file, Job { page: 2, ..JOB }).2, [BLUE; 81]);
    for page in [0, 3, u32::MAX] {
        assert_eq!(found(&file, page, 72), Err(Refusal::NoPage { pages: 2 }));
    }
    assert_eq!(
        Refusal::NoPage { pages: 2 }.error().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn what_is_no_file_is_damaged() {
    let whole = pages(&[HALVES], "null");
    let none = pages(&[], "null");
    for file in [&b"%PDF-1.7\n"[..], b"%PDF-1.7\n%%EOF", &whole[..40], &none] {
        assert_eq!(found(file, 1, 72), Err(Refusal::Damaged));
    }
    assert_eq!(Refusal::Damaged.error().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_page_whose_picture_is_damaged_is_refused_unless_damage_is_passed_over() {
    let picture = stream(
        "/Type /XObject /Subtype /Image /Width 9 /Height 9 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode",
        "no JPEG",
    );
    let file = pages(&[(HALVES.0, "9 0 0 9 0 0 cm /X Do")], &picture);
    assert_eq!(answered(&file, JOB).0, Err(Refusal::Picture));
    let damaged = Job {
        damaged: true,
        ..JOB
    };
    assert_eq!(drawn(&file, damaged).2, [WHITE; 72 * 36]);
    assert_eq!(Refusal::Picture.error().kind(), ErrorKind::Corrupt);
}

#[test]
fn sides_that_cannot_be_drawn_are_refused() {
    let file = |side: &str| pages(&[(&format!("/MediaBox [0 0 {side} 1]"), "")], "null");
    assert_eq!(found(&file("65535"), 1, 72).unwrap().width, 65535);
    assert_eq!(found(&file("65536"), 1, 72), Err(Refusal::Size));
    assert_eq!(found(&file("14400"), 1, 4800), Err(Refusal::Size));
    let large = pages(&[("/MediaBox [0 0 14400 14400]", "")], "null");
    assert!(found(&large, 1, 72).is_ok());
    assert_eq!(answered(&large, JOB).0, Err(Refusal::Size));
    assert_eq!(Refusal::Size.error().kind(), ErrorKind::TooLarge);
}

#[test]
fn an_answer_is_one_line_of_the_known_words() {
    for bytes in [&b""[..], b"\n", b"{}", b"{\"Err\":\"Secret\"}\n"] {
        let mut input = bytes;
        assert_eq!(hear(&mut input).unwrap_err().kind(), ErrorKind::Internal);
    }
    let mut endless = std::io::BufReader::new(std::io::repeat(b' '));
    assert!(hear(&mut endless).is_err());
}

#[test]
fn memory_for_pixels_and_file_is_asked_for_before_anything_starts() {
    let job = |length, bytes| Job {
        length,
        bytes,
        ..JOB
    };
    let least = 48 << 20;
    assert!(job(500, least + 16_500).check_bytes(1000).is_ok());
    for (pixels, length) in [(1001, 500), (1000, 501), (u64::MAX, 1)] {
        let job = job(length, least + 16_500);
        let error = job.check_bytes(pixels).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}

#[test]
fn a_file_that_ends_early_is_not_drawn() {
    let file = pages(&[HALVES], "null");
    let job = Job {
        length: file.len() as u64 + 1,
        ..JOB
    };
    let mut output = Vec::new();
    assert!(worker::serve(&job, file.as_slice(), &mut output).is_err());
    assert!(output.is_empty());
}
