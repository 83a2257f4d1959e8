#pragma once
#include "sosia/image/frames.hpp"

#include <filesystem>
#include <memory>

namespace sosia::image {

/// Opens `path` by the video module.
std::unique_ptr<FrameSource> open_video(const std::filesystem::path& path,
                                        const FramesOptions& options);

}  // namespace sosia::image
