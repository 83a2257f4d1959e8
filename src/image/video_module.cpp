// libsosia_image_video.so: video files by FFmpeg, behind the C border of video_abi.h.
//
// Input is hostile here too: only the `file` protocol and self-contained containers are open to the
// demuxers (a playlist could name other files or network addresses), and the decoder refuses frames
// beyond the pixel cap before it allocates them.

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include "image/video_abi.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

/// Containers that hold their pictures themselves.
constexpr const char* kContainers =
    "3g2,3gp,asf,avi,flv,gif,h264,hevc,ivf,m4v,matroska,mj2,mjpeg,mov,mp4,mpeg,mpegts,mpegvideo,"
    "ogg,"
    "webm,yuv4mpegpipe";

template <class T, void (*release)(T**)>
struct Release {
  void operator()(T* object) const { release(&object); }
};
using Format = std::unique_ptr<AVFormatContext, Release<AVFormatContext, avformat_close_input>>;
using Codec = std::unique_ptr<AVCodecContext, Release<AVCodecContext, avcodec_free_context>>;
using Packet = std::unique_ptr<AVPacket, Release<AVPacket, av_packet_free>>;
using FramePtr = std::unique_ptr<AVFrame, Release<AVFrame, av_frame_free>>;
using Dictionary = std::unique_ptr<AVDictionary, Release<AVDictionary, av_dict_free>>;
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

/// What went wrong, inside the module only.
struct Failure {
  int32_t code;
  std::string text;
};

std::string reason(int averror) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(averror, text, sizeof text);
  return text;
}

Failure failure(const std::string& doing, int averror) {
  int32_t code = SOSIA_VIDEO_UNSUPPORTED;
  if (averror == AVERROR_INVALIDDATA || averror == AVERROR_EOF) {
    code = SOSIA_VIDEO_CORRUPT;
  } else if (averror == AVERROR(ENOMEM)) {
    code = SOSIA_VIDEO_MEMORY;
  } else if (averror == AVERROR(EIO) || averror == AVERROR(EACCES) || averror == AVERROR(ENOENT)) {
    code = SOSIA_VIDEO_IO;
  }
  return {code, doing + ": " + reason(averror)};
}

template <class T>
T* require(T* object) {
  if (object == nullptr) {
    throw std::bad_alloc();
  }
  return object;
}

Dictionary dictionary(std::initializer_list<std::pair<const char*, std::string>> entries) {
  AVDictionary* raw = nullptr;
  for (const auto& [key, value] : entries) {
    if (const int status = av_dict_set(&raw, key, value.c_str(), 0); status < 0) {
      av_dict_free(&raw);
      throw std::bad_alloc();
    }
  }
  return Dictionary(raw);
}

Format open_container(const char* path) {
  AVDictionary* options =
      dictionary({{"protocol_whitelist", "file"}, {"format_whitelist", kContainers}}).release();
  AVFormatContext* raw = nullptr;
  const int status =
      avformat_open_input(&raw, (std::string("file:") + path).c_str(), nullptr, &options);
  av_dict_free(&options);
  if (status == AVERROR(EINVAL)) {
    throw Failure{SOSIA_VIDEO_UNSUPPORTED, "the container is not one that sosia opens as video"};
  }
  if (status < 0) {
    throw failure("cannot be opened as video", status);
  }
  return Format(raw);
}

void require_within_cap(int64_t width, int64_t height, int64_t max_pixels) {
  if (width > 0 && height > 0 && width * height > max_pixels) {
    throw Failure{SOSIA_VIDEO_MEMORY, "the video claims " + std::to_string(width) + " x " +
                                          std::to_string(height) + " pixels; the limit is " +
                                          std::to_string(max_pixels)};
  }
}

/// Finds out what the streams are; the probing decoders get the pixel cap too.
void read_stream_info(AVFormatContext* format, int64_t max_pixels) {
  std::vector<AVDictionary*> options;
  for (unsigned i = 0; i < format->nb_streams; ++i) {
    // Now, from the container's own header: a probing decoder that refuses forgets the size.
    const AVCodecParameters& parameters = *format->streams[i]->codecpar;
    require_within_cap(parameters.width, parameters.height, max_pixels);
    options.push_back(dictionary({{"max_pixels", std::to_string(max_pixels)}}).release());
  }
  const int status = avformat_find_stream_info(format, options.empty() ? nullptr : options.data());
  for (AVDictionary* entry : options) {
    av_dict_free(&entry);
  }
  if (status < 0) {
    throw failure("its streams cannot be read", status);
  }
}

Codec open_decoder(const AVStream& stream, const AVCodec* decoder, int64_t max_pixels,
                   int32_t threads) {
  require_within_cap(stream.codecpar->width, stream.codecpar->height, max_pixels);
  Codec codec(require(avcodec_alloc_context3(decoder)));
  if (const int status = avcodec_parameters_to_context(codec.get(), stream.codecpar); status < 0) {
    throw failure("its parameters cannot be used", status);
  }
  codec->pkt_timebase = stream.time_base;
  codec->max_pixels = max_pixels;
  codec->thread_count = threads;
  // Damage is reported, not painted over.
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  if (const int status = avcodec_open2(codec.get(), decoder, nullptr); status < 0) {
    throw failure("its decoder cannot be started", status);
  }
  return codec;
}

/// Quarter turns clockwise that the display matrix of the stream asks for.
int32_t quarter_turns(const AVStream& stream) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  const AVPacketSideData* entry =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX);
  const uint8_t* matrix = entry == nullptr ? nullptr : entry->data;
  const size_t size = entry == nullptr ? 0 : entry->size;
#else
  size_t size = 0;
  const uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
#endif
  if (matrix == nullptr || size < 9 * sizeof(int32_t)) {
    return 0;
  }
  const double anticlockwise_deg =
      av_display_rotation_get(reinterpret_cast<const int32_t*>(matrix));
  if (!std::isfinite(anticlockwise_deg)) {
    return 0;
  }
  const int turns = static_cast<int>(std::lround(-anticlockwise_deg / 90.0)) % 4;
  return (turns + 4) % 4;
}

}  // namespace

struct SosiaVideoReader {
  SosiaVideoReader(const char* path, int64_t cap, int32_t threads);
  bool next(int64_t skip, SosiaVideoFrame& out, int64_t& consumed);

 private:
  enum class Step { frame, damaged, end };
  Step decode_one();
  Step feed();
  void convert(SosiaVideoFrame& out);
  void set_colours(const AVFrame& source) const;
  double time_ms(const AVFrame& source);

  int64_t max_pixels_;
  Format format_;
  int stream_ = 0;
  Codec codec_;
  Packet packet_;
  FramePtr decoded_;
  FramePtr converted_;
  Scaler scaler_;
  int32_t quarter_turns_ = 0;
  bool at_end_ = false;  ///< everything was sent to the decoder
  bool finished_ = false;
  std::string damage_;
  int64_t count_ = 0;
  bool timed_ = false;
  double first_ms_ = 0;
};

SosiaVideoReader::SosiaVideoReader(const char* path, int64_t cap, int32_t threads)
    : max_pixels_(cap), format_(open_container(path)) {
  read_stream_info(format_.get(), max_pixels_);
  const AVCodec* decoder = nullptr;
  stream_ = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (stream_ < 0 || decoder == nullptr) {
    throw Failure{SOSIA_VIDEO_UNSUPPORTED, stream_ == AVERROR_STREAM_NOT_FOUND
                                               ? "it has no video stream"
                                               : "this FFmpeg has no decoder for its video stream"};
  }
  const AVStream& stream = *format_->streams[stream_];
  codec_ = open_decoder(stream, decoder, max_pixels_, threads);
  quarter_turns_ = quarter_turns(stream);
  packet_.reset(require(av_packet_alloc()));
  decoded_.reset(require(av_frame_alloc()));
  converted_.reset(require(av_frame_alloc()));
}

/// Sends one packet of our stream to the decoder. `frame` means "look again".
SosiaVideoReader::Step SosiaVideoReader::feed() {
  for (;;) {
    const int status = av_read_frame(format_.get(), packet_.get());
    if (status < 0) {
      at_end_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
      if (status == AVERROR_EOF) {
        return Step::frame;
      }
      damage_ = "the container cannot be read on: " + reason(status);
      return Step::damaged;
    }
    if (packet_->stream_index == stream_) {
      break;
    }
    av_packet_unref(packet_.get());
  }
  const bool cut_off = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
  const int status = cut_off ? 0 : avcodec_send_packet(codec_.get(), packet_.get());
  av_packet_unref(packet_.get());
  if (cut_off || status < 0) {
    damage_ = cut_off ? "the frame is cut off" : "the frame cannot be decoded: " + reason(status);
    return Step::damaged;
  }
  return Step::frame;
}

SosiaVideoReader::Step SosiaVideoReader::decode_one() {
  for (;;) {
    const int status = avcodec_receive_frame(codec_.get(), decoded_.get());
    if (status == 0) {
      const bool bad =
          (decoded_->flags & AV_FRAME_FLAG_CORRUPT) != 0 || decoded_->decode_error_flags != 0;
      damage_ = "the frame is damaged";
      return bad ? Step::damaged : Step::frame;
    }
    if (status == AVERROR_EOF) {
      return Step::end;
    }
    if (status != AVERROR(EAGAIN)) {
      damage_ = "the frame cannot be decoded: " + reason(status);
      return Step::damaged;
    }
    if (at_end_) {
      return Step::end;
    }
    if (feed() == Step::damaged) {
      return Step::damaged;
    }
  }
}

bool SosiaVideoReader::next(int64_t skip, SosiaVideoFrame& out, int64_t& consumed) {
  for (consumed = 0; !finished_; --skip) {
    const Step step = decode_one();
    if (step == Step::end) {
      break;
    }
    ++consumed;
    ++count_;
    // The first time stamp is the origin even where the frame itself is passed over.
    const double time = step == Step::frame ? time_ms(*decoded_) : 0;
    if (skip > 0) {
      continue;
    }
    if (step == Step::damaged) {
      throw Failure{SOSIA_VIDEO_CORRUPT, damage_};
    }
    convert(out);
    out.time_ms = time;
    return true;
  }
  finished_ = true;
  return false;
}

double SosiaVideoReader::time_ms(const AVFrame& source) {
  const AVStream& stream = *format_->streams[stream_];
  double now = 0;
  if (source.best_effort_timestamp != AV_NOPTS_VALUE) {
    now = static_cast<double>(source.best_effort_timestamp) * av_q2d(stream.time_base) * 1000.0;
  } else if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0) {
    now = static_cast<double>(count_ - 1) * 1000.0 / av_q2d(stream.avg_frame_rate);
  }
  if (!timed_) {
    timed_ = true;
    first_ms_ = now;
  }
  return now - first_ms_;
}

void SosiaVideoReader::set_colours(const AVFrame& source) const {
  constexpr int kHighDefinitionLines = 720;
  int matrix = source.colorspace;
  if (matrix == AVCOL_SPC_UNSPECIFIED || matrix == AVCOL_SPC_RGB || matrix < 0) {
    matrix = source.height < kHighDefinitionLines ? SWS_CS_ITU601 : SWS_CS_ITU709;
  }
  const bool full_range =
      source.color_range == AVCOL_RANGE_JPEG || source.format == AV_PIX_FMT_YUVJ420P ||
      source.format == AV_PIX_FMT_YUVJ422P || source.format == AV_PIX_FMT_YUVJ444P ||
      source.format == AV_PIX_FMT_YUVJ440P || source.format == AV_PIX_FMT_YUVJ411P;
  // Refused for sources that are no YUV, which need no matrix.
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(matrix), full_range ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
}

void SosiaVideoReader::convert(SosiaVideoFrame& out) {
  const AVFrame& source = *decoded_;
  require_within_cap(source.width, source.height, max_pixels_);
  scaler_.reset(sws_getCachedContext(
      scaler_.release(), source.width, source.height, static_cast<AVPixelFormat>(source.format),
      source.width, source.height, AV_PIX_FMT_RGB24,
      SWS_BILINEAR | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr,
      nullptr));
  if (!scaler_) {
    throw Failure{SOSIA_VIDEO_UNSUPPORTED, "its pixel format cannot be converted to RGB"};
  }
  set_colours(source);
  AVFrame& target = *converted_;
  if (target.width != source.width || target.height != source.height) {
    av_frame_unref(&target);
    target.width = source.width;
    target.height = source.height;
    target.format = AV_PIX_FMT_RGB24;
    if (const int status = av_frame_get_buffer(&target, 0); status < 0) {
      av_frame_unref(&target);
      throw failure("no room for a frame", status);
    }
  }
  const int lines = sws_scale(scaler_.get(), source.data, source.linesize, 0, source.height,
                              target.data, target.linesize);
  if (lines != source.height) {
    throw Failure{SOSIA_VIDEO_UNSUPPORTED, "its pixel format cannot be converted to RGB"};
  }
  out = {target.data[0], target.width, target.height, target.linesize[0], 0, quarter_turns_};
}

namespace {

/// Runs `body`; what it throws becomes `error` and the value `failed`.
template <class Result, class Body>
Result guarded(SosiaVideoError* error, Result failed, Body&& body) noexcept {
  const auto put = [error](int32_t code, const char* text) {
    error->code = code;
    std::snprintf(error->text, sizeof error->text, "%s", text);
  };
  try {
    return body();
  } catch (const Failure& f) {
    put(f.code, f.text.c_str());
  } catch (const std::bad_alloc&) {
    put(SOSIA_VIDEO_MEMORY, "no memory to decode the video");
  } catch (...) {
    put(0, "unexpected failure in the video module");
  }
  return failed;
}

/// Libraries do not print. A host that has set its own level keeps it.
void silence_log() {
  if (av_log_get_level() == AV_LOG_INFO) {
    av_log_set_level(AV_LOG_QUIET);
  }
}

SosiaVideoReader* open_reader(const char* path, int64_t max_pixels, int32_t threads,
                              SosiaVideoError* error) {
  silence_log();
  return guarded(error, static_cast<SosiaVideoReader*>(nullptr), [&] {
    return std::make_unique<SosiaVideoReader>(path, max_pixels, threads).release();
  });
}

int32_t next_frame(SosiaVideoReader* reader, int64_t skip, SosiaVideoFrame* frame,
                   int64_t* consumed, SosiaVideoError* error) {
  return guarded(error, int32_t{-1},
                 [&] { return int32_t{reader->next(skip, *frame, *consumed) ? 1 : 0}; });
}

void close_reader(SosiaVideoReader* reader) {
  delete reader;
}

}  // namespace

extern "C" const void* sosia_image_video(void) {
  static const SosiaVideoApi api{SOSIA_VIDEO_ABI, open_reader, next_frame, close_reader};
  return &api;
}
