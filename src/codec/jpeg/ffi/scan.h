/* The scan-line interface of libjpeg-turbo and mozjpeg, reduced to what a caller without setjmp and
 * without the library's structs can use.
 *
 * Every function that gives an `int` gives a status. After any status but SCAN_OK the object can only
 * be asked for its message and freed. `user` goes to the callbacks of that call and is not kept.
 * Callbacks return normally: no jump ever crosses a caller's frame. mod.rs mirrors this file.
 */
#ifndef TRIFORIUM_SCAN_H
#define TRIFORIUM_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum scan_status {
  SCAN_OK = 0,
  SCAN_DAMAGED = 1,     /* the stream breaks the standard or ends early */
  SCAN_UNSUPPORTED = 2, /* the stream is of a kind that this build does not code */
  SCAN_CALLBACK = 3,    /* a callback asked to stop; the caller knows why */
  SCAN_TOO_MANY = 4,    /* more scans than allowed */
  SCAN_MEMORY = 5,      /* more memory than allowed, or than there is */
  SCAN_MISUSE = 6       /* a call out of order or out of range */
};

/* Of the last three, CMYK and the components of SCAN_PLAIN leave as they are stored, YCCK as CMYK. */
enum scan_colour {
  SCAN_GRAY = 0,
  SCAN_YCBCR = 1,
  SCAN_RGB = 2,
  SCAN_CMYK = 3,
  SCAN_YCCK = 4,
  SCAN_PLAIN = 5
};

/* Fills up to `length` bytes; gives how many, 0 at the end, below 0 to stop. */
typedef ptrdiff_t (*scan_read)(void *user, uint8_t *buffer, size_t length);
/* Gives 0 to stop. Called between block rows while scans are gathered. */
typedef int (*scan_proceed)(void *user);
/* Takes all `length` bytes; gives 0 to stop. */
typedef int (*scan_write)(void *user, const uint8_t *bytes, size_t length);

typedef struct scan_decoder scan_decoder;
typedef struct scan_encoder scan_encoder;

typedef struct {
  uint32_t width, height, components;
} scan_header;

typedef struct {
  int32_t colour;                /* of the stored components; gives gray, RGB or CMYK */
  uint32_t divisor;              /* 1, 2, 4 or 8 */
  uint32_t crop_x, crop_width;   /* columns wanted, in output pixels */
} scan_start;

typedef struct {
  uint32_t x, width, height;     /* first column and size of what rows will hold */
} scan_layout;

typedef struct {
  uint32_t width, height;
  int32_t colour;                /* SCAN_GRAY or SCAN_RGB */
  int32_t quality;               /* 1 to 100 */
  int32_t h_factor, v_factor;    /* of the first component; the others have 1 × 1 */
  int32_t progressive;
} scan_settings;

/* NULL when there is no memory. */
scan_decoder *scan_decoder_new(scan_read read, scan_proceed proceed, uint32_t max_scans,
                               uint64_t max_bytes);
int scan_decoder_header(scan_decoder *d, void *user, scan_header *header);
/* Gathers all scans first where there is more than one. */
int scan_decoder_start(scan_decoder *d, void *user, const scan_start *start, scan_layout *layout);
int scan_decoder_skip(scan_decoder *d, void *user, uint32_t rows);
/* Writes `rows` rows, each `stride` bytes after the one before. */
int scan_decoder_read(scan_decoder *d, void *user, uint8_t *out, size_t stride, uint32_t rows);
/* The same for samples of 12 bits; `stride` counts samples. Those of another precision are refused by
 * each of the two. */
int scan_decoder_read_12(scan_decoder *d, void *user, uint16_t *out, size_t stride, uint32_t rows);
const char *scan_decoder_message(const scan_decoder *d);
void scan_decoder_free(scan_decoder *d);

/* NULL when there is no memory. */
scan_encoder *scan_encoder_new(scan_write write);
/* Begins the file. */
int scan_encoder_start(scan_encoder *e, void *user, const scan_settings *settings);
/* Reads `rows` rows, each `stride` bytes after the one before. */
int scan_encoder_rows(scan_encoder *e, void *user, const uint8_t *in, size_t stride, uint32_t rows);
int scan_encoder_finish(scan_encoder *e, void *user);
const char *scan_encoder_message(const scan_encoder *e);
void scan_encoder_free(scan_encoder *e);

/* The library's name and version; never freed. */
const char *scan_version(void);
/* Whether arithmetic coding is decoded. */
int scan_decodes_arithmetic(void);
/* Whether samples of 12 bits are decoded. */
int scan_decodes_twelve_bits(void);

#endif
