//! A server that describes every image alike and answers pictures with one fault, and keeps a record.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing; pictures are not asked for.
    None,
    /// Pictures of one pixel.
    Size,
    /// This status.
    Status(u16),
    /// Half of the promised body, then the end of the connection.
    Cut,
    /// Text in place of a picture.
    Text,
    /// 303 to another place on itself.
    Redirect,
    /// No answer to the request for a picture.
    Never,
    /// Everything takes so long.
    Slow(Duration),
}

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) when: Instant,
}

/// The server; its threads end with the test's process.
pub(super) struct Fake {
    pub(super) address: String,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Listens; its images have these dimensions, its documents this version.
    pub(super) fn start(dimensions: (u32, u32), version: u32, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&log);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let record = Arc::clone(&record);
                thread::spawn(move || serve(stream, dimensions, version, fault, &record));
            }
        });
        Self { address, log }
    }

    /// What was asked since the last time.
    pub(super) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Requests for the place that redirects lead to.
    pub(super) fn elsewhere(&self) -> Vec<Asked> {
        let mut log = self.take();
        log.retain(|asked| asked.path.contains("elsewhere"));
        log
    }
}

fn serve(
    mut stream: TcpStream,
    (width, height): (u32, u32),
    version: u32,
    fault: Fault,
    record: &Mutex<Vec<Asked>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let info = format!(
        r#"{{"@context":"http://iiif.io/api/image/{version}/context.json","width":{width},"height":{height}}}"#
    );
    while let Some(path) = next(&mut reader) {
        record.lock().unwrap().push(Asked {
            path: path.clone(),
            when: Instant::now(),
        });
        if let Fault::Slow(time) = fault {
            thread::sleep(time);
        }
        let answer = if path.ends_with("info.json") {
            whole("200 OK", info.as_bytes())
        } else {
            match fault {
                Fault::None | Fault::Size | Fault::Slow(_) => whole("200 OK", &png(1, 1)),
                Fault::Status(status) => whole(&format!("{status} No"), b"no"),
                Fault::Text => whole("200 OK", b"<html>all is well</html>"),
                Fault::Redirect => {
                    b"HTTP/1.1 303 See Other\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
                        .to_vec()
                }
                Fault::Never => {
                    thread::sleep(Duration::from_mins(1));
                    return;
                }
                Fault::Cut => {
                    let answer = whole("200 OK", &[0; 100]);
                    let _ = stream.write_all(&answer[..answer.len() - 50]);
                    return;
                }
            }
        };
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

/// The path of the next request on a connection.
fn next(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut lines = reader.lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    lines.find(String::is_empty)?;
    Some(path)
}

fn whole(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The beginning of a PNG with these dimensions.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes
}
