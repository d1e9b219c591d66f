//! The settings and their meanings.

use super::keys::KeyInfo;

/// Every setting, in the order of the document.
pub const KEYS: &[KeyInfo] = &[
    KeyInfo {
        key: "server.listen",
        meaning: "Address and port of the public listener; port 0 takes a free one.",
    },
    KeyInfo {
        key: "server.max_connections",
        meaning: "Connections served at once; further ones wait in the kernel's backlog.",
    },
    KeyInfo {
        key: "server.header_timeout_seconds",
        meaning: "Seconds from a connection's start, or from a request's first byte, to the end of its head.",
    },
    KeyInfo {
        key: "server.idle_timeout_seconds",
        meaning: "Seconds that a connection may stay open without a request.",
    },
    KeyInfo {
        key: "server.write_timeout_seconds",
        meaning: "Seconds after which a reader that takes no byte is cut.",
    },
    KeyInfo {
        key: "server.drain_seconds",
        meaning: "Seconds that requests in flight get to finish when the server is told to end.",
    },
    KeyInfo {
        key: "server.max_target_bytes",
        meaning: "Longest request target in bytes; longer ones are 414. Image API 1.x has 1024 at most.",
    },
    KeyInfo {
        key: "server.tls.certificate",
        meaning: "PEM file with the certificate chain, leaf first; empty for plain HTTP.",
    },
    KeyInfo {
        key: "server.tls.key",
        meaning: "PEM file with the private key (PKCS #8, PKCS #1 or SEC 1).",
    },
    KeyInfo {
        key: "admin.listen",
        meaning: "Address and port of the admin listener; empty for none.",
    },
    KeyInfo {
        key: "public.base_uri",
        meaning: "The address under which clients reach this server, up to the slash before iiif (https://images.example.org/collection). Empty: taken from each request.",
    },
    KeyInfo {
        key: "public.prefix",
        meaning: "Path before every route of this server (/collection); empty for none.",
    },
    KeyInfo {
        key: "public.versionless",
        meaning: "Which Image API answers under /iiif/{identifier}/….",
    },
    KeyInfo {
        key: "public.start_page",
        meaning: "Where the start page is served.",
    },
    KeyInfo {
        key: "public.slash_substitute",
        meaning: "Text that stands for a slash inside identifiers, for front ends that cannot pass %2F; empty for none.",
    },
    KeyInfo {
        key: "public.trusted_proxies",
        meaning: "Networks whose Forwarded and X-Forwarded-* headers are believed (10.0.0.0/8).",
    },
    KeyInfo {
        key: "public.server_timing",
        meaning: "Whether answers carry Server-Timing.",
    },
    KeyInfo {
        key: "cache_control.image",
        meaning: "Images.",
    },
    KeyInfo {
        key: "cache_control.info",
        meaning: "Information documents and redirects to them.",
    },
    KeyInfo {
        key: "cache_control.not_found",
        meaning: "404, the one error that is certain.",
    },
    KeyInfo {
        key: "log.level",
        meaning: "Least level: error, warn, info, debug, trace, or directives by module.",
    },
    KeyInfo {
        key: "log.format",
        meaning: "Shape of the program's log.",
    },
    KeyInfo {
        key: "log.access",
        meaning: "Shape of the access log.",
    },
    KeyInfo {
        key: "log.access_file",
        meaning: "File of the access log, reopened on signal; empty for standard output.",
    },
    KeyInfo {
        key: "log.client_address",
        meaning: "How much of a client's address the access log keeps.",
    },
    KeyInfo {
        key: "source.file.root",
        meaning: "A single root under the simplest rule; it stands in place of roots. Empty: roots count.",
    },
    KeyInfo {
        key: "source.file.check_seconds",
        meaning: "Seconds for which a master's version is believed before its file is looked at again.",
    },
    KeyInfo {
        key: "source.file.read_timeout_seconds",
        meaning: "Seconds after which the file system counts as away.",
    },
    KeyInfo {
        key: "source.file.threads",
        meaning: "Threads that wait for the file system.",
    },
    KeyInfo {
        key: "source.file.symlinks",
        meaning: "Whether symbolic links are followed.",
    },
    KeyInfo {
        key: "source.file.max_listed",
        meaning: "Most masters that the start page lists.",
    },
    KeyInfo {
        key: "source.file.roots",
        meaning: "Named roots; the first in which an identifier finds a file answers.",
    },
    KeyInfo {
        key: "limits.max_width_px",
        meaning: "Largest width of a scaled region, in pixels; published. 0: none.",
    },
    KeyInfo {
        key: "limits.max_height_px",
        meaning: "Largest height of a scaled region, in pixels; published. 0: none.",
    },
    KeyInfo {
        key: "limits.max_area_px",
        meaning: "Largest area of a scaled region, in pixels; published. 0: none.",
    },
    KeyInfo {
        key: "limits.master_side_px",
        meaning: "Largest side of a master, in pixels.",
    },
    KeyInfo {
        key: "limits.master_area_px",
        meaning: "Largest area of a master, in pixels.",
    },
    KeyInfo {
        key: "limits.decode_bytes",
        meaning: "Most bytes for decoded pixels of all requests together. 0: a quarter of the memory.",
    },
    KeyInfo {
        key: "limits.stream_above_bytes",
        meaning: "Estimated bytes of an answer above which it is streamed.",
    },
    KeyInfo {
        key: "limits.stream_buffer_bytes",
        meaning: "Finished bytes that may wait for a slow reader of a streamed answer.",
    },
    KeyInfo {
        key: "limits.render_seconds",
        meaning: "Longest time for making one answer, in seconds.",
    },
    KeyInfo {
        key: "limits.stream_seconds",
        meaning: "Longest time for making one streamed answer, in seconds.",
    },
    KeyInfo {
        key: "limits.queue_seconds",
        meaning: "Longest wait for admission, in seconds.",
    },
    KeyInfo {
        key: "limits.queue_length",
        meaning: "Requests that may wait for admission in one lane.",
    },
    KeyInfo {
        key: "limits.open_masters",
        meaning: "Masters that are kept open.",
    },
    KeyInfo {
        key: "limits.lost_threads",
        meaning: "Decoder threads of one format that may be lost before the format answers 503.",
    },
    KeyInfo {
        key: "limits.render_threads",
        meaning: "Threads that decode and render. 0: one for each processor.",
    },
    KeyInfo {
        key: "iiif.upscaling",
        meaning: "Whether images are enlarged on request.",
    },
    KeyInfo {
        key: "iiif.strict_validator",
        meaning: "The official validator's reading where it contradicts the specification (K1, K5).",
    },
    KeyInfo {
        key: "iiif.meta_identifier",
        meaning: "Whether identifier;2 names page 2 of a file and identifier;1:4 the image at a quarter of its size, identifier;2;1:4 both, where no file has the whole name.",
    },
    KeyInfo {
        key: "iiif.rights",
        meaning: "rights of every image: a Creative Commons or RightsStatements.org URI. Empty: none.",
    },
    KeyInfo {
        key: "iiif.background",
        meaning: "What shows where a picture without opacity has none: red, green, blue.",
    },
    KeyInfo {
        key: "encode.threads",
        meaning: "Threads that encode. 0: one for each processor.",
    },
    KeyInfo {
        key: "encode.jpeg.quality",
        meaning: "IJG quality, 1 to 100.",
    },
    KeyInfo {
        key: "encode.jpeg.subsampling",
        meaning: "Resolution of the colour components.",
    },
    KeyInfo {
        key: "encode.jpeg.progressive",
        meaning: "Several scans of growing precision instead of one.",
    },
    KeyInfo {
        key: "encode.png.compression",
        meaning: "Effort.",
    },
    KeyInfo {
        key: "encode.webp.lossless",
        meaning: "Exact pixels instead of quality.",
    },
    KeyInfo {
        key: "encode.webp.quality",
        meaning: "libwebp quality of lossy files, 0 to 100.",
    },
    KeyInfo {
        key: "encode.webp.method",
        meaning: "libwebp effort of lossy files, 0 (fast) to 6 (small).",
    },
    KeyInfo {
        key: "encode.tif.compression",
        meaning: "How strips are compressed.",
    },
    KeyInfo {
        key: "cache.derivative.memory_bytes",
        meaning: "Bytes in memory, bookkeeping included. 0: off.",
    },
    KeyInfo {
        key: "colour.mode",
        meaning: "What becomes of colour profiles.",
    },
    KeyInfo {
        key: "gpu.mode",
        meaning: "Whether a GPU is used.",
    },
];
