#pragma once
// One function for each kind of set.

#include "sosia/data/dataset.hpp"

namespace sosia::data {

std::shared_ptr<const Dataset> open_folder(const DataSpec& spec);
std::shared_ptr<const Dataset> open_reid(const DataSpec& spec);
std::shared_ptr<const Dataset> open_recordio(const DataSpec& spec);
std::shared_ptr<const Dataset> open_world_faces(const DataSpec& spec);
std::shared_ptr<const Dataset> open_world_persons(const DataSpec& spec);

}  // namespace sosia::data
