#pragma once
/* The border between libsosia_image.so and libsosia_image_video.so, the module that is linked with
 * FFmpeg and opened on first use. Plain C: no exception and no C++ type crosses it. */

#include <stdint.h>

#define SOSIA_VIDEO_ABI 1u
#define SOSIA_VIDEO_FACTORY "sosia_image_video"

#ifdef __cplusplus
extern "C" {
#endif

enum SosiaVideoCode {
  SOSIA_VIDEO_CORRUPT = 1,
  SOSIA_VIDEO_UNSUPPORTED = 2,
  SOSIA_VIDEO_IO = 3,
  SOSIA_VIDEO_MEMORY = 4 /* also: a stated cap would be exceeded */
};

struct SosiaVideoError {
  int32_t code; /* SosiaVideoCode */
  char text[256];
};

/* One frame, RGB, 8 bits per channel. The pixels are valid until the next call with its reader. */
struct SosiaVideoFrame {
  const uint8_t* data;
  int32_t width_px;
  int32_t height_px;
  int64_t stride_bytes;
  double time_ms;        /* since the first frame */
  int32_t quarter_turns; /* clockwise, that make the frame upright; 0 to 3 */
};

struct SosiaVideoReader; /* opaque */

struct SosiaVideoApi {
  uint32_t abi; /* SOSIA_VIDEO_ABI */
  /* NULL on failure, with `error` filled. */
  struct SosiaVideoReader* (*open)(const char* path, int64_t max_pixels, int32_t threads,
                                   struct SosiaVideoError* error);
  /* Decodes `skip` frames without converting them and then one with. 1: `frame` is filled; 0: the
   * end; -1: `error` is filled, the frame is passed over and reading may go on. `consumed` counts
   * the frames that were passed, the returned or failed one included. */
  int32_t (*next)(struct SosiaVideoReader* reader, int64_t skip, struct SosiaVideoFrame* frame,
                  int64_t* consumed, struct SosiaVideoError* error);
  void (*close)(struct SosiaVideoReader* reader);
};

/* The one symbol of the module; gives its SosiaVideoApi, as any module gives its table. */
const void* sosia_image_video(void);

#ifdef __cplusplus
}
#endif
