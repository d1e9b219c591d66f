//! Pages of PDF, as the process that draws them answers.

use std::sync::LazyLock;

use triforium::codec;

/// Draws the first page of a file, or the second where the last byte is odd.
///
/// # Panics
///
/// When what is answered is no answer.
pub fn page(bytes: &[u8]) {
    LazyLock::force(&crate::CAUGHT);
    if !bytes.starts_with(b"%PDF-") {
        return;
    }
    let page = 1 + bytes.last().map_or(0, |last| last % 2);
    let length = bytes.len();
    let bound = 64 << 20;
    let job = format!(
        r#"{{"page":{page},"dpi":72,"length":{length},"bytes":{bound},"seconds":9,"damaged":true,"rows":true}}"#
    );
    let mut answer = Vec::new();
    codec::serve_page(&job, bytes, &mut answer).expect("a job that is served");
    let end = answer
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a line");
    let line = std::str::from_utf8(&answer[..end]).expect("text");
    let number = |name: &str| {
        let (_, rest) = line.split_once(name)?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<usize>().ok()
    };
    let pixels = number("\"width\":").zip(number("\"height\":"));
    let pixels = pixels.map_or(0, |(width, height)| width * height);
    assert_eq!(answer.len() - end - 1, 3 * pixels);
}
