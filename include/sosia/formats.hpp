#pragma once
// Readers and writers of the field's files. Every reader takes files as hostile: sizes are checked,
// memory is capped, nothing in a file is executed; what is wrong with a file is an `Error`.

#include "sosia/formats/array.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/dataset.hpp"
#include "sosia/formats/npy.hpp"
#include "sosia/formats/pairs.hpp"
#include "sosia/formats/parquet.hpp"
#include "sosia/formats/pickle.hpp"
#include "sosia/formats/recordio.hpp"
#include "sosia/formats/safetensors.hpp"
#include "sosia/formats/verification_bin.hpp"
#include "sosia/formats/zip.hpp"
