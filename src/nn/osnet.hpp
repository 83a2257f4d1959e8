#pragma once
// OSNet: features of several scales for re-identification.
//
// Reference: Zhou et al., ICCV 2019; names and initialisation of torchreid, models/osnet.py.

#include "nn/network.hpp"

namespace sosia::nn {

/// `width`: 1, 0.75, 0.5 or 0.25 of the published channels. 512 numbers behind the layer `fc`, or
/// as many as the spec says; 256 x 128 pictures as published, any multiple of 16 goes.
std::shared_ptr<Network> make_osnet(double width, const NetworkSpec& spec,
                                    at::Generator& generator);

}  // namespace sosia::nn
