#pragma once
// Checkpoints that PyTorch's torch.save writes since 1.6: a zip archive of one pickle and the raw
// storages. Nothing in the pickle is executed: names on a short list are understood, all others are
// refused. Reference: torch/serialization.py and torch/_utils.py of PyTorch 2.13.

#include "tensor/checkpoint.hpp"

namespace sosia::tensor {

/// The tensors of the state_dict in a .pt or .pth file. A file that holds several, as checkpoints
/// of training do, needs `section`, the key under which the wanted one lies ("state_dict").
///
/// Throws corrupt_data (damaged; a tensor beyond its storage), unsupported (another class than
/// tensors and plain containers, TorchScript, sparse tensors, big-endian storages),
/// invalid_argument (no or an unknown section where several are there; the message lists them),
/// not_found, io.
NamedTensors read_pytorch_file(const std::filesystem::path& path, std::string_view section = {});

}  // namespace sosia::tensor
