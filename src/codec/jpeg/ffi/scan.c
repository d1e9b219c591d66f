/* See scan.h. Each entry function sets the place that errors jump back to, then calls the library;
 * no local that changes after setjmp is read after a jump.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "scan.h"

/* libjpeg-turbo has one interface for each precision since 3.0; mozjpeg's own number is above that. */
#if defined(LIBJPEG_TURBO_VERSION_NUMBER) && !defined(JPEG_C_PARAM_SUPPORTED)
#if LIBJPEG_TURBO_VERSION_NUMBER >= 3000000
#define TWELVE_BITS
#endif
#endif

#define PIECE 65536
#define BATCH 32

/* ---- Errors ---- */

typedef struct {
  struct jpeg_error_mgr base; /* first: the library's pointer to it is a pointer to the whole */
  jmp_buf escape;
  int status;
  char message[JMSG_LENGTH_MAX];
} failure;

static void leave(j_common_ptr info, int status, const char *message) {
  failure *f = (failure *)info->err;
  if (message != NULL)
    snprintf(f->message, sizeof f->message, "%s", message);
  f->status = status;
  longjmp(f->escape, 1);
}

static int status_of(int code) {
  switch (code) {
  case JERR_OUT_OF_MEMORY:
  case JERR_NO_BACKING_STORE:
    return SCAN_MEMORY;
  case JERR_ARITH_NOTIMPL:
  case JERR_BAD_PRECISION:
  case JERR_CCIR601_NOTIMPL:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_FRACT_SAMPLE_NOTIMPL:
  case JERR_NOTIMPL:
  case JERR_NOT_COMPILED:
  case JERR_SOF_UNSUPPORTED:
    return SCAN_UNSUPPORTED;
  case JERR_BAD_IN_COLORSPACE:
  case JERR_BAD_LIB_VERSION:
  case JERR_BAD_STATE:
  case JERR_BAD_STRUCT_SIZE:
  case JERR_TOO_LITTLE_DATA:
  case JERR_WIDTH_OVERFLOW:
    return SCAN_MISUSE;
  default:
    return SCAN_DAMAGED;
  }
}

static void error_exit(j_common_ptr info) {
  failure *f = (failure *)info->err;
  f->base.format_message(info, f->message);
  leave(info, status_of(f->base.msg_code), NULL);
}

/* Warnings after which the library goes on with invented samples (the early end of the bytes is an
 * error of the source's own). The others keep every sample as it
 * is stored: an unknown JFIF revision or Adobe transform, padding between segments, scan parameters
 * that are out of order but decodable. */
static int loses_samples(int code) {
  switch (code) {
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_TOO_MUCH_DATA:
#ifdef D_ARITH_CODING_SUPPORTED
  case JWRN_ARITH_BAD_CODE:
#endif
    return 1;
  default:
    return 0;
  }
}

static void emit_message(j_common_ptr info, int level) {
  if (level < 0 && loses_samples(info->err->msg_code))
    error_exit(info);
}

static void output_message(j_common_ptr info) {
  (void)info;
}

static struct jpeg_error_mgr *failure_manager(failure *f) {
  jpeg_std_error(&f->base);
  f->base.error_exit = error_exit;
  f->base.emit_message = emit_message;
  f->base.output_message = output_message;
  return &f->base;
}

/* ---- Decoder ---- */

struct scan_decoder {
  failure failure;
  struct jpeg_decompress_struct info;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  scan_read read;
  scan_proceed proceed;
  void *user; /* of the call under way */
  uint32_t max_scans;
  int gathering;
  int in_only_scan; /* rows come straight from it */
  int ended;        /* an end marker was made up */
  uint8_t piece[PIECE];
};

static void no_source_change(j_decompress_ptr info) {
  (void)info;
}

/* The library looks ahead of the last bits that it needs. Where the only scan is being decoded, an end
 * marker stands in once for the one that is missing: a Huffman code that lacks a bit meets it and
 * fails. Elsewhere more may be missing, or nothing would tell (arithmetic codes go on with zeros). */
static ptrdiff_t end_marker(scan_decoder *d) {
  if (!d->in_only_scan || d->ended)
    ERREXIT(&d->info, JWRN_JPEG_EOF);
  d->ended = 1;
  d->piece[0] = 0xFF;
  d->piece[1] = JPEG_EOI;
  return 2;
}

static boolean fill_piece(j_decompress_ptr info) {
  scan_decoder *d = (scan_decoder *)info->client_data;
  ptrdiff_t got = d->read(d->user, d->piece, sizeof d->piece);
  if (got < 0 || (size_t)got > sizeof d->piece)
    leave((j_common_ptr)info, SCAN_CALLBACK, "reading was stopped");
  if (got == 0)
    got = end_marker(d);
  d->source.next_input_byte = d->piece;
  d->source.bytes_in_buffer = (size_t)got;
  return TRUE;
}

static void skip_bytes(j_decompress_ptr info, long count) {
  struct jpeg_source_mgr *source = info->src;
  if (count <= 0)
    return;
  while ((size_t)count > source->bytes_in_buffer) {
    count -= (long)source->bytes_in_buffer;
    fill_piece(info);
  }
  source->next_input_byte += count;
  source->bytes_in_buffer -= (size_t)count;
}

/* Called by the library once per block row while it gathers scans, and once per row batch later. */
static void watch_scans(j_common_ptr common) {
  scan_decoder *d = (scan_decoder *)common->client_data;
  if (!d->gathering)
    return;
  if (d->info.input_scan_number > 0 && (uint32_t)d->info.input_scan_number > d->max_scans)
    leave(common, SCAN_TOO_MANY, "too many scans");
  if (!d->proceed(d->user))
    leave(common, SCAN_CALLBACK, "decoding was stopped");
}

static void connect_source(scan_decoder *d) {
  d->source.init_source = no_source_change;
  d->source.fill_input_buffer = fill_piece;
  d->source.skip_input_data = skip_bytes;
  d->source.resync_to_restart = jpeg_resync_to_restart;
  d->source.term_source = no_source_change;
  d->info.src = &d->source;
}

static int create_decoder(scan_decoder *d, uint64_t max_bytes) {
  d->info.err = failure_manager(&d->failure);
  if (setjmp(d->failure.escape))
    return d->failure.status;
  jpeg_create_decompress(&d->info);
  d->info.client_data = d;
  d->info.mem->max_memory_to_use = max_bytes < LONG_MAX ? (long)max_bytes : LONG_MAX;
  d->progress.progress_monitor = watch_scans;
  d->info.progress = &d->progress;
  connect_source(d);
  return SCAN_OK;
}

scan_decoder *scan_decoder_new(scan_read read, scan_proceed proceed, uint32_t max_scans,
                               uint64_t max_bytes) {
  /* Zeroed, so that the read callback is never handed memory without a value. */
  scan_decoder *d = calloc(1, sizeof *d);
  if (d == NULL)
    return NULL;
  d->read = read;
  d->proceed = proceed;
  d->max_scans = max_scans;
  if (create_decoder(d, max_bytes) == SCAN_OK)
    return d;
  scan_decoder_free(d);
  return NULL;
}

int scan_decoder_header(scan_decoder *d, void *user, scan_header *header) {
  if (setjmp(d->failure.escape))
    return d->failure.status;
  d->user = user;
  jpeg_read_header(&d->info, TRUE);
  header->width = d->info.image_width;
  header->height = d->info.image_height;
  header->components = (uint32_t)d->info.num_components;
  return SCAN_OK;
}

static J_COLOR_SPACE space_of(int32_t colour) {
  switch (colour) {
  case SCAN_GRAY:
    return JCS_GRAYSCALE;
  case SCAN_YCBCR:
    return JCS_YCbCr;
  case SCAN_CMYK:
    return JCS_CMYK;
  case SCAN_YCCK:
    return JCS_YCCK;
  case SCAN_PLAIN:
    return JCS_UNKNOWN;
  default:
    return JCS_RGB;
  }
}

static J_COLOR_SPACE decoded_space_of(int32_t colour) {
  switch (colour) {
  case SCAN_GRAY:
    return JCS_GRAYSCALE;
  case SCAN_CMYK:
  case SCAN_YCCK:
    return JCS_CMYK;
  case SCAN_PLAIN:
    return JCS_UNKNOWN;
  default:
    return JCS_RGB;
  }
}

static void choose(j_decompress_ptr info, const scan_start *start) {
  info->jpeg_color_space = space_of(start->colour);
  info->out_color_space = decoded_space_of(start->colour);
  info->scale_num = 1;
  info->scale_denom = start->divisor;
  info->dct_method = JDCT_ISLOW;
  info->do_fancy_upsampling = TRUE;
  info->do_block_smoothing = FALSE;
}

int scan_decoder_start(scan_decoder *d, void *user, const scan_start *start, scan_layout *layout) {
  JDIMENSION x = start->crop_x, width = start->crop_width;
  if (setjmp(d->failure.escape))
    return d->failure.status;
  d->user = user;
  choose(&d->info, start);
  d->gathering = 1;
  d->in_only_scan = !jpeg_has_multiple_scans(&d->info) && !d->info.arith_code;
  jpeg_start_decompress(&d->info);
  d->gathering = 0;
#ifdef TWELVE_BITS
  if (d->info.data_precision == 12)
    jpeg12_crop_scanline(&d->info, &x, &width);
  else
#endif
    jpeg_crop_scanline(&d->info, &x, &width);
  layout->x = d->info.output_width == width ? x : 0;
  layout->width = d->info.output_width;
  layout->height = d->info.output_height;
  return SCAN_OK;
}

static void check_rows_left(const scan_decoder *d, uint32_t rows) {
  if (rows > d->info.output_height - d->info.output_scanline)
    leave((j_common_ptr)&d->info, SCAN_MISUSE, "more rows than there are");
}

static JDIMENSION skip_rows(scan_decoder *d, uint32_t rows) {
#ifdef TWELVE_BITS
  if (d->info.data_precision == 12)
    return jpeg12_skip_scanlines(&d->info, rows);
#endif
  return jpeg_skip_scanlines(&d->info, rows);
}

int scan_decoder_skip(scan_decoder *d, void *user, uint32_t rows) {
  if (setjmp(d->failure.escape))
    return d->failure.status;
  d->user = user;
  check_rows_left(d, rows);
  if (skip_rows(d, rows) != rows)
    leave((j_common_ptr)&d->info, SCAN_DAMAGED, "rows could not be skipped");
  return SCAN_OK;
}

static void read_rows(scan_decoder *d, uint8_t *out, size_t stride, uint32_t rows) {
  JSAMPROW batch[BATCH];
  while (rows > 0) {
    uint32_t count = rows < BATCH ? rows : BATCH;
    for (uint32_t i = 0; i < count; i++)
      batch[i] = out + i * stride;
    count = jpeg_read_scanlines(&d->info, batch, count);
    if (count == 0)
      leave((j_common_ptr)&d->info, SCAN_DAMAGED, "rows could not be read");
    out += count * stride;
    rows -= count;
  }
}

int scan_decoder_read(scan_decoder *d, void *user, uint8_t *out, size_t stride, uint32_t rows) {
  if (setjmp(d->failure.escape))
    return d->failure.status;
  d->user = user;
  check_rows_left(d, rows);
  read_rows(d, out, stride, rows);
  return SCAN_OK;
}

#ifdef TWELVE_BITS
static void read_rows_12(scan_decoder *d, J12SAMPLE *out, size_t stride, uint32_t rows) {
  J12SAMPROW batch[BATCH];
  while (rows > 0) {
    uint32_t count = rows < BATCH ? rows : BATCH;
    for (uint32_t i = 0; i < count; i++)
      batch[i] = out + i * stride;
    count = jpeg12_read_scanlines(&d->info, batch, count);
    if (count == 0)
      leave((j_common_ptr)&d->info, SCAN_DAMAGED, "rows could not be read");
    out += count * stride;
    rows -= count;
  }
}
#endif

int scan_decoder_read_12(scan_decoder *d, void *user, uint16_t *out, size_t stride, uint32_t rows) {
  if (setjmp(d->failure.escape))
    return d->failure.status;
  d->user = user;
  check_rows_left(d, rows);
#ifdef TWELVE_BITS
  read_rows_12(d, (J12SAMPLE *)out, stride, rows);
  return SCAN_OK;
#else
  (void)out;
  (void)stride;
  leave((j_common_ptr)&d->info, SCAN_UNSUPPORTED, "12 bits are not in this library");
  return SCAN_UNSUPPORTED;
#endif
}

const char *scan_decoder_message(const scan_decoder *d) {
  return d->failure.message;
}

void scan_decoder_free(scan_decoder *d) {
  jpeg_destroy_decompress(&d->info);
  free(d);
}

/* ---- Encoder ---- */

struct scan_encoder {
  failure failure;
  struct jpeg_compress_struct info;
  struct jpeg_destination_mgr destination;
  scan_write write;
  void *user; /* of the call under way */
  uint8_t piece[PIECE];
};

static void hand_over(j_compress_ptr info, size_t length) {
  scan_encoder *e = (scan_encoder *)info->client_data;
  if (length > 0 && !e->write(e->user, e->piece, length))
    leave((j_common_ptr)info, SCAN_CALLBACK, "writing was stopped");
}

static void init_destination(j_compress_ptr info) {
  scan_encoder *e = (scan_encoder *)info->client_data;
  e->destination.next_output_byte = e->piece;
  e->destination.free_in_buffer = sizeof e->piece;
}

/* The library counts on the whole buffer being taken, whatever free_in_buffer says. */
static boolean empty_piece(j_compress_ptr info) {
  hand_over(info, PIECE);
  init_destination(info);
  return TRUE;
}

static void term_destination(j_compress_ptr info) {
  hand_over(info, PIECE - info->dest->free_in_buffer);
}

static int create_encoder(scan_encoder *e) {
  e->info.err = failure_manager(&e->failure);
  if (setjmp(e->failure.escape))
    return e->failure.status;
  jpeg_create_compress(&e->info);
  e->info.client_data = e;
  e->destination.init_destination = init_destination;
  e->destination.empty_output_buffer = empty_piece;
  e->destination.term_destination = term_destination;
  e->info.dest = &e->destination;
  return SCAN_OK;
}

scan_encoder *scan_encoder_new(scan_write write) {
  scan_encoder *e = calloc(1, sizeof *e);
  if (e == NULL)
    return NULL;
  e->write = write;
  if (create_encoder(e) == SCAN_OK)
    return e;
  scan_encoder_free(e);
  return NULL;
}

static void set_components(j_compress_ptr info, const scan_settings *settings) {
  int gray = settings->colour == SCAN_GRAY;
  info->image_width = settings->width;
  info->image_height = settings->height;
  info->input_components = gray ? 1 : 3;
  info->in_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
}

static void set_coding(j_compress_ptr info, const scan_settings *settings) {
#ifdef JPEG_C_PARAM_SUPPORTED
  /* Before the defaults, which follow it: mozjpeg's own search only where it is asked for. */
  jpeg_c_set_int_param(info, JINT_COMPRESS_PROFILE,
                       settings->progressive ? (int)JCP_MAX_COMPRESSION : JCP_FASTEST);
#endif
  jpeg_set_defaults(info);
  jpeg_set_quality(info, settings->quality, TRUE);
  info->dct_method = JDCT_ISLOW;
  info->optimize_coding = FALSE;
  if (info->num_components == 3) {
    info->comp_info[0].h_samp_factor = settings->h_factor;
    info->comp_info[0].v_samp_factor = settings->v_factor;
  }
  if (settings->progressive)
    jpeg_simple_progression(info);
}

int scan_encoder_start(scan_encoder *e, void *user, const scan_settings *settings) {
  if (setjmp(e->failure.escape))
    return e->failure.status;
  e->user = user;
  set_components(&e->info, settings);
  set_coding(&e->info, settings);
  jpeg_start_compress(&e->info, TRUE);
  return SCAN_OK;
}

static void write_rows(scan_encoder *e, const uint8_t *in, size_t stride, uint32_t rows) {
  JSAMPROW batch[BATCH];
  while (rows > 0) {
    uint32_t count = rows < BATCH ? rows : BATCH;
    /* The library only reads them; its type was made before const. */
    for (uint32_t i = 0; i < count; i++)
      batch[i] = (JSAMPROW)(uintptr_t)(in + i * stride);
    count = jpeg_write_scanlines(&e->info, batch, count);
    if (count == 0)
      leave((j_common_ptr)&e->info, SCAN_MISUSE, "rows could not be written");
    in += count * stride;
    rows -= count;
  }
}

int scan_encoder_rows(scan_encoder *e, void *user, const uint8_t *in, size_t stride,
                      uint32_t rows) {
  if (setjmp(e->failure.escape))
    return e->failure.status;
  e->user = user;
  if (rows > e->info.image_height - e->info.next_scanline)
    leave((j_common_ptr)&e->info, SCAN_MISUSE, "more rows than there are");
  write_rows(e, in, stride, rows);
  return SCAN_OK;
}

int scan_encoder_finish(scan_encoder *e, void *user) {
  if (setjmp(e->failure.escape))
    return e->failure.status;
  e->user = user;
  jpeg_finish_compress(&e->info);
  return SCAN_OK;
}

const char *scan_encoder_message(const scan_encoder *e) {
  return e->failure.message;
}

void scan_encoder_free(scan_encoder *e) {
  jpeg_destroy_compress(&e->info);
  free(e);
}

/* ---- Library ---- */

#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

const char *scan_version(void) {
#ifdef JPEG_C_PARAM_SUPPORTED
  return "mozjpeg";
#else
  return "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION);
#endif
}

int scan_decodes_arithmetic(void) {
#ifdef D_ARITH_CODING_SUPPORTED
  return 1;
#else
  return 0;
#endif
}

int scan_decodes_twelve_bits(void) {
#ifdef TWELVE_BITS
  return 1;
#else
  return 0;
#endif
}
