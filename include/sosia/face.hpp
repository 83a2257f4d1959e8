#pragma once
// The face room: detect, align, embed, judge, track.

#include "sosia/face/aligner.hpp"
#include "sosia/face/calibration.hpp"
#include "sosia/face/detector.hpp"
#include "sosia/face/embedder.hpp"
#include "sosia/face/evaluation.hpp"
#include "sosia/face/face.hpp"
#include "sosia/face/files.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/face/quality.hpp"
#include "sosia/face/tracker.hpp"
