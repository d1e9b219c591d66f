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
        meaning: "Longest request target, 256 to 32768 bytes; longer ones are 414. Image API 1.x has 1024 at most.",
    },
    KeyInfo {
        key: "server.tls.certificate",
        meaning: "PEM file with the certificate chain, leaf first; empty for plain HTTP.",
    },
    KeyInfo {
        key: "server.tls.key",
        meaning: "PEM file with the private key (PKCS #8, PKCS #1 or SEC 1); given together with certificate.",
    },
    KeyInfo {
        key: "admin.listen",
        meaning: "Address and port of the admin listener; empty for none.",
    },
    KeyInfo {
        key: "public.base_uri",
        meaning: "The address under which clients reach this server, up to the slash before iiif\n(https://images.example.org/collection). Empty: taken from each request.",
    },
    KeyInfo {
        key: "public.prefix",
        meaning: "Path before every route of this server (/collection); empty for none.",
    },
    KeyInfo {
        key: "public.versionless",
        meaning: "Which Image API answers under /iiif/{identifier}/…: \"off\" (none: such paths are 404), \"2\" or \"3\".",
    },
    KeyInfo {
        key: "public.start_page",
        meaning: "Where the start page is served: \"on\" (the public listener), \"off\" (nowhere; no folder is ever walked)\nor \"admin\" (the admin listener alone).",
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
        meaning: "Cache-Control of images; empty for none.",
    },
    KeyInfo {
        key: "cache_control.info",
        meaning: "Cache-Control of information documents and of redirects to them; empty for none.",
    },
    KeyInfo {
        key: "cache_control.not_found",
        meaning: "Cache-Control of 404, the one error that is certain; empty for none. Other errors are no-store.",
    },
    KeyInfo {
        key: "log.level",
        meaning: "Least level: \"error\", \"warn\", \"info\", \"debug\", \"trace\", or directives by module (\"info,triforium::http=debug\").",
    },
    KeyInfo {
        key: "log.format",
        meaning: "Shape of the program's log: \"text\" (lines for people) or \"json\" (one object a line).",
    },
    KeyInfo {
        key: "log.access",
        meaning: "Shape of the access log: \"off\" (none), \"combined\" (as Apache and nginx have it) or \"json\" (one object a line).",
    },
    KeyInfo {
        key: "log.access_file",
        meaning: "File of the access log, reopened on SIGHUP and SIGUSR1; empty for standard output.",
    },
    KeyInfo {
        key: "log.client_address",
        meaning: "How much of a client's address the access log keeps: \"full\", \"truncated\" (the /24 of IPv4, the /48 of IPv6)\nor \"none\".",
    },
    KeyInfo {
        key: "source.file.root",
        meaning: "A single folder; an identifier is a path below it, with or without its extension. It stands in place of\nroots. Empty: roots count.",
    },
    KeyInfo {
        key: "source.file.check_seconds",
        meaning: "Seconds for which a master's version is believed before its file is looked at again, 0 to 86400.",
    },
    KeyInfo {
        key: "source.file.read_timeout_seconds",
        meaning: "Seconds after which a file system that does not answer counts as away, 0.001 to 86400.",
    },
    KeyInfo {
        key: "source.file.threads",
        meaning: "Threads that wait for the file system, for each root.",
    },
    KeyInfo {
        key: "source.file.symlinks",
        meaning: "Whether symbolic links are followed: \"inside\" (relative links that stay inside their root) or \"never\".",
    },
    KeyInfo {
        key: "source.file.max_listed",
        meaning: "Most masters that the start page lists.",
    },
    KeyInfo {
        key: "source.file.roots",
        meaning: "Named roots, tried in order; the first in which an identifier finds a file answers. While one is away, only\nfiles of roots with a prefix or a pattern are taken from those after it. Each is a table\n[[source.file.roots]] with these keys:\n  name        what it is called in health and info, unlike all others (\"default\")\n  path        the folder\n  prefix      identifiers have to begin with this; the rest is the file's path (\"\")\n  suffix      added to the rest (\"\")\n  extensions  tried in turn after a dot where the path itself is no file\n              ([\"tif\", \"tiff\", \"ptif\", \"ptiff\", \"btf\", \"jp2\", \"jpx\", \"jpf\", \"j2k\", \"j2c\", \"jpc\", \"jph\", \"jhc\",\n              \"jpg\", \"jpeg\", \"png\", \"webp\", \"gif\", \"bmp\", \"jxl\", \"avif\", \"heic\", \"heif\",\n              \"hif\"])\n  pattern     a regular expression that the whole identifier has to match (\"\")\n  template    the path in place of the rest, with {name}, {pairtree(name)}, {hash(name)},\n              {hash(name,levels,digits)}, {lower(name)} and {replace(name,from,to)}; a name is a capture of the\n              pattern, or identifier for the rest (\"\")",
    },
    KeyInfo {
        key: "limits.max_width_px",
        meaning: "Largest width of a scaled region, in pixels; published in info.json. 0: none.",
    },
    KeyInfo {
        key: "limits.max_height_px",
        meaning: "Largest height of a scaled region, in pixels; published in info.json; needs max_width_px. 0: none.",
    },
    KeyInfo {
        key: "limits.max_area_px",
        meaning: "Largest area of a scaled region, in pixels; published in info.json. 0: none.",
    },
    KeyInfo {
        key: "limits.master_side_px",
        meaning: "Largest side of a master, in pixels; larger masters are 413.",
    },
    KeyInfo {
        key: "limits.master_area_px",
        meaning: "Largest area of a master, in pixels; larger masters are 413.",
    },
    KeyInfo {
        key: "limits.decode_bytes",
        meaning: "Most bytes for decoded pixels of all requests together. 0: a quarter of the memory of machine or control group.",
    },
    KeyInfo {
        key: "limits.stream_above_bytes",
        meaning: "Estimated bytes of an answer above which it is streamed, without Content-Length.",
    },
    KeyInfo {
        key: "limits.stream_buffer_bytes",
        meaning: "Finished bytes that may wait for a slow reader of a streamed answer.",
    },
    KeyInfo {
        key: "limits.render_seconds",
        meaning: "Longest time for making one answer, in seconds; then 504.",
    },
    KeyInfo {
        key: "limits.stream_seconds",
        meaning: "Longest time for making one streamed answer, in seconds.",
    },
    KeyInfo {
        key: "limits.queue_seconds",
        meaning: "Longest wait for admission, in seconds; then 503.",
    },
    KeyInfo {
        key: "limits.queue_length",
        meaning: "Requests that may wait for admission in one lane; further ones are 503 at once.",
    },
    KeyInfo {
        key: "limits.open_masters",
        meaning: "Masters whose files and headers are kept open.",
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
        key: "limits.damaged",
        meaning: "What becomes of masters whose code is damaged or cut short: \"refuse\" (500) or \"decode\" (JPEG 2000: what\nis whole is decoded, and nothing tells it from a whole picture).",
    },
    KeyInfo {
        key: "iiif.upscaling",
        meaning: "Whether images are enlarged on request.",
    },
    KeyInfo {
        key: "iiif.strict_validator",
        meaning: "The official validator's reading where it contradicts Image API 3.0: !w,h larger than the region without ^ is 400\n(the specification: 200 at the region's size), and ^max is the region's own size (the specification: enlarged\nto the limits).",
    },
    KeyInfo {
        key: "iiif.meta_identifier",
        meaning: "Whether identifier;2 names page 2 of a file and identifier;1:4 the image at a quarter of its size, identifier;2;1:4 both, where no file has the whole name.",
    },
    KeyInfo {
        key: "iiif.rights",
        meaning: "rights of every image in info.json: a Creative Commons or RightsStatements.org URI. Empty: none.",
    },
    KeyInfo {
        key: "iiif.physical_dimensions",
        meaning: "Whether info.json says how large an image is on paper (the service physdim), where its master says so. 72 and 96\npixels per inch count as not said: programs write them unasked.",
    },
    KeyInfo {
        key: "iiif.preferred_formats",
        meaning: "Formats in which images are best asked for, best first ([\"webp\", \"jpg\"]); published in info.json of Image API 3.",
    },
    KeyInfo {
        key: "iiif.formats_by_accept",
        meaning: "Formats that are sent in place of jpg to clients whose Accept names them, best first ([\"avif\", \"webp\"]), with\nVary: Accept. Empty: what is asked for is sent.",
    },
    KeyInfo {
        key: "iiif.background",
        meaning: "What shows where a picture without opacity has none: red, green, blue, each 0 to 255.",
    },
    KeyInfo {
        key: "encode.threads",
        meaning: "Threads that encode. 0: one for each processor.",
    },
    KeyInfo {
        key: "encode.sixteen_bits",
        meaning: "Whether png, tif, jp2 and jxl keep 16 bits of masters that have more than 8; else all have 8.",
    },
    KeyInfo {
        key: "encode.jpeg.quality",
        meaning: "IJG quality, 1 to 100.",
    },
    KeyInfo {
        key: "encode.jpeg.subsampling",
        meaning: "Resolution of the colour components: \"4:2:0\" (half in both directions), \"4:2:2\" (half from left to right)\nor \"4:4:4\" (full).",
    },
    KeyInfo {
        key: "encode.jpeg.progressive",
        meaning: "Several scans of growing precision instead of one (smaller, slower).",
    },
    KeyInfo {
        key: "encode.png.compression",
        meaning: "Effort: \"fast\", \"balanced\" or \"high\" (smallest, many times slower).",
    },
    KeyInfo {
        key: "encode.webp.lossless",
        meaning: "Exact pixels instead of quality; always so in builds without libwebp.",
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
        meaning: "How strips are compressed: \"none\", \"deflate\" or \"lzw\".",
    },
    KeyInfo {
        key: "encode.gif.dither",
        meaning: "Whether pictures of more than 256 colours are dithered (smooth gradients, larger files).",
    },
    KeyInfo {
        key: "encode.avif.quality",
        meaning: "Quality of colour and opacity, 1 to 100.",
    },
    KeyInfo {
        key: "encode.avif.speed",
        meaning: "Effort, 1 (very slow) to 10 (fast): 9 takes three times as long as 10 for files that are 5 in 100 smaller,\n1 thirty times for 12 in 100.",
    },
    KeyInfo {
        key: "encode.avif.max_area_px",
        meaning: "Most pixels of an AVIF answer, which takes long to encode; larger ones are 400. At low speeds it\nis less: what takes half of limits.render_seconds.",
    },
    KeyInfo {
        key: "encode.jxl.effort",
        meaning: "Effort of lossless JPEG XL, 0 (fast) to 127 (small).",
    },
    KeyInfo {
        key: "encode.jxl.max_area_px",
        meaning: "Most pixels of a JPEG XL answer; larger ones are 400.",
    },
    KeyInfo {
        key: "encode.jp2.lossless",
        meaning: "Exact pixels (5-3 wavelet) instead of psnr_db (9-7 wavelet).",
    },
    KeyInfo {
        key: "encode.jp2.psnr_db",
        meaning: "Peak signal-to-noise ratio of lossy files in decibels, 20 to 90.",
    },
    KeyInfo {
        key: "encode.jp2.tile_px",
        meaning: "Edge of the square tiles, 64 to 16384 pixels. 0: none.",
    },
    KeyInfo {
        key: "encode.jp2.max_area_px",
        meaning: "Most pixels of a JPEG 2000 answer; larger ones are 400.",
    },
    KeyInfo {
        key: "encode.pdf.dpi",
        meaning: "Pixels per inch, for the page's size, of masters that do not say theirs, 1 to 10000.",
    },
    KeyInfo {
        key: "encode.metadata.icc",
        meaning: "Whether derivatives say that they are sRGB by an ICC profile (jpg, png, webp, avif, gif, tif, jp2,\npdf; jxl says so by itself).",
    },
    KeyInfo {
        key: "encode.metadata.exif",
        meaning: "Whether derivatives carry the master's EXIF, without places, thumbnail and maker's notes (jpg, png, webp, tif,\njp2, avif, jxl).",
    },
    KeyInfo {
        key: "encode.metadata.gps",
        meaning: "Whether EXIF and XMP keep the places.",
    },
    KeyInfo {
        key: "encode.metadata.xmp",
        meaning: "Whether derivatives carry the master's XMP packet, without places and small pictures (all formats).",
    },
    KeyInfo {
        key: "encode.metadata.iptc",
        meaning: "Whether derivatives carry the master's IPTC records (jpg, png, tif, jp2; the others have no place for them).",
    },
    KeyInfo {
        key: "encode.metadata.dpi",
        meaning: "Whether derivatives say how large the picture is on paper (jpg, png, tif, jp2; by EXIF webp, avif, jxl; pdf always\ndoes).",
    },
    KeyInfo {
        key: "encode.metadata.regions",
        meaning: "Whether the above go into parts of a picture too, tiles included; else only where the region is the whole.",
    },
    KeyInfo {
        key: "cache.directory",
        meaning: "Folder of what is cached on disk; neither in nor above a source's folder. Empty: triforium in the user's\nfolder of caches ($XDG_CACHE_HOME, else ~/.cache).",
    },
    KeyInfo {
        key: "cache.levels.disk_bytes",
        meaning: "Bytes on disk for levels of masters that have none or no random access: built in the background once a master\nhas been decoded again and again. 0: off.",
    },
    KeyInfo {
        key: "cache.levels.build_mib_per_second",
        meaning: "MiB that building levels writes in a second at most. 0: none are built.",
    },
    KeyInfo {
        key: "cache.derivative.memory_bytes",
        meaning: "Bytes of finished answers that are kept in memory, bookkeeping included. 0: off.",
    },
    KeyInfo {
        key: "cache.derivative.disk_bytes",
        meaning: "Bytes of finished answers that are kept below cache.directory, behind those in memory; they outlive the\nprogram. 0: off.",
    },
    KeyInfo {
        key: "cache.tiles.memory_bytes",
        meaning: "Bytes of decoded tiles that are kept in memory, bookkeeping included; never more than a quarter of the\nmemory of the machine or control group. 0: off.",
    },
    KeyInfo {
        key: "overlay.redactions",
        meaning: "Rectangles of masters that nobody sees. Each is a table [[overlay.redactions]] with these keys:\n  pattern     a regular expression that the whole of one of a master's names has to match, in any case: each\n              identifier that names its file, and the same with ;page behind it\n  page        the page that it is for; 0 for all (0)\n  rectangles  [[x, y, width, height], …] in pixels of the full image, upright\n  colour      what fills them: red, green, blue ([0, 0, 0])",
    },
    KeyInfo {
        key: "overlay.watermarks",
        meaning: "Marks on masters. Each is a table [[overlay.watermarks]] with these keys:\n  pattern       as above\n  page          as above (0)\n  image         file of a picture, or\n  text          a line of text of 200 letters at most, with\n  font          the file of its font, TrueType or OpenType, and\n  colour        its colour: red, green, blue ([255, 255, 255])\n  position      \"top-left\", \"top\", \"top-right\", \"left\", \"center\", \"right\", \"bottom-left\", \"bottom\" or\n                \"bottom-right\" (\"bottom-right\")\n  inset_px      distance from the image's edges, in pixels of the full image (0)\n  scale         width as a share of the image's, 0 to 1; 0 for the picture's own pixels (0.2)\n  min_width_px  least width, in pixels of the full image (0)\n  min_image_px  images whose longer side has fewer pixels have no mark (0)\n  opacity       above 0, to 1 for a mark through which nothing shines (1.0)",
    },
    KeyInfo {
        key: "colour.mode",
        meaning: "What becomes of colour profiles: \"srgb\" (colours are converted to sRGB, gray to gray with its curve) or \"keep\"\n(gray and RGB stay what they are, and their profile goes along; inks and L*a*b*, and what has no place for the\nprofile, are converted).",
    },
    KeyInfo {
        key: "colour.intent",
        meaning: "How colours come to sRGB: \"relative\" (relative colorimetric with black-point compensation) or\n\"perceptual\" (by the profile's perceptual tables, where it has some).",
    },
    KeyInfo {
        key: "colour.light",
        meaning: "In which light pixels are put together where sizes change: \"encoded\" (as numbers, like most programs) or\n\"linear\" (as light; slower, by the CPU alone). Levels that a master stores stay what they are.",
    },
    KeyInfo {
        key: "pdf.dpi",
        meaning: "Pixels of an inch at which pages of PDF are drawn, up to 4800. 0: PDF files are no masters.",
    },
    KeyInfo {
        key: "pdf.bytes",
        meaning: "Most memory for drawing a page, the file's own length included; at most half of limits.decode_bytes.",
    },
    KeyInfo {
        key: "gpu.mode",
        meaning: "Whether a GPU is used: \"off\", \"auto\" (where there is one and it is faster) or \"on\" (for everything that it\ncan do; the start fails without one). Answers are the same bytes either way.",
    },
    KeyInfo {
        key: "gpu.adapter",
        meaning: "A part of the adapter's name, in any case. Empty: the first that fits.",
    },
    KeyInfo {
        key: "gpu.memory_bytes",
        meaning: "Bytes of the device's memory that may be held, at least 64 MiB.",
    },
    KeyInfo {
        key: "gpu.window_us",
        meaning: "Microseconds that a batch stays open for more requests while the device is busy, at most; 0 to 100000.",
    },
    KeyInfo {
        key: "gpu.check_one_in",
        meaning: "One of so many answers of the device is made on the CPU too and compared; one that differs turns the device\noff. 0: none.",
    },
    KeyInfo {
        key: "gpu.self_test",
        meaning: "Whether the device has to give the CPU's bytes for a batch of test pictures before it is used.",
    },
    KeyInfo {
        key: "gpu.rehearsal",
        meaning: "For tests of \"auto\": a device made of software is opened, and its times count so many times as much. 0: off.",
    },
];
