#pragma once
// LibTorch, as all rooms above this one see it: tensors, modules, and the layers that networks are
// made of. Compiled once for all of them (cmake/SosiaTorch.cmake); never include torch/torch.h,
// which costs four times as much. A source that needs more includes that header itself.

// Headers of LibTorch are included through here only; they come with warnings of their own.
#include <ATen/core/Generator.h>
#include <ATen/core/ivalue.h>
#include <c10/util/Exception.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/instancenorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>
#include <torch/utils.h>
