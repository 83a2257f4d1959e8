// Running a network.

#include "models/network_impl.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <openvino/core/except.hpp>
#include <openvino/runtime/infer_request.hpp>
#include <openvino/runtime/tensor.hpp>

namespace sosia::models {
namespace {

ov::Shape shape_of(std::span<const std::int64_t> sides) {
  return ov::Shape(sides.begin(), sides.end());
}

/// The product of the sides; throws for a side below 1, or one that does not fit the numbers.
void require_filled(const Port& port, TensorView value) {
  double count = 1;
  for (const std::int64_t side : value.shape) count *= static_cast<double>(side);
  bool positive = !value.shape.empty();
  for (const std::int64_t side : value.shape) positive = positive && side >= 1;
  if (positive && count == static_cast<double>(value.values.size())) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("input {}: {} numbers for the shape {}", quote(port.name),
                          value.values.size(), shape_text(value.shape)));
}

/// Whether `value` is a batch for a network that takes one row at a time.
bool needs_rows(const Port& port, TensorView value) {
  return !port.shape.empty() && port.shape.front() == 1 &&
         value.shape.size() == port.shape.size() && value.shape.front() > 1;
}

void require_shape(const Port& port, TensorView value) {
  require_filled(port, value);
  if (port.shape.empty()) return;  // any rank
  bool fits = value.shape.size() == port.shape.size();
  for (std::size_t i = 0; fits && i < port.shape.size(); ++i) {
    const bool rows = i == 0 && port.shape[0] == 1;
    fits = rows || port.shape[i] < 0 || port.shape[i] == value.shape[i];
  }
  if (fits) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("input {} is {}, but the network takes {}", quote(port.name),
                          shape_text(value.shape), shape_text(port.shape)));
}

template <class T>
void fill_integers(const Port& port, std::span<const float> from, ov::Tensor& to) {
  T* out = to.data<T>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double number = from[i];
    if (number != std::floor(number) ||
        number < static_cast<double>(std::numeric_limits<T>::min()) ||
        number >= std::ldexp(1.0, std::numeric_limits<T>::digits)) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("input {} takes whole numbers ({}), but got {}", quote(port.name),
                              port.type, number));
    }
    out[i] = static_cast<T>(number);
  }
}

/// The engine's view of `value`. Floats are not copied: they must outlive the run.
ov::Tensor to_engine(const Port& port, ov::element::Type type, TensorView value) {
  const ov::Shape shape = shape_of(value.shape);
  if (type == ov::element::f32) {
    // The engine only reads inputs; its interface lacks the const.
    return {type, shape, const_cast<float*>(value.values.data())};
  }
  ov::Tensor tensor(type, shape);
  switch (type) {
    case ov::element::i32:
      fill_integers<std::int32_t>(port, value.values, tensor);
      return tensor;
    case ov::element::i64:
      fill_integers<std::int64_t>(port, value.values, tensor);
      return tensor;
    case ov::element::u8:
      fill_integers<std::uint8_t>(port, value.values, tensor);
      return tensor;
    case ov::element::f16: {
      ov::float16* out = tensor.data<ov::float16>();
      for (const float number : value.values) *out++ = ov::float16(number);
      return tensor;
    }
    default:
      throw Error(ErrorCode::unsupported,
                  fmt::format("input {} holds numbers of type {}", quote(port.name), port.type));
  }
}

template <class T>
void copy_numbers(const ov::Tensor& from, std::vector<float>& to) {
  const T* numbers = from.data<const T>();
  to.reserve(from.get_size());
  for (std::size_t i = 0; i < from.get_size(); ++i) to.push_back(static_cast<float>(numbers[i]));
}

Tensor from_engine(const Port& port, const ov::Tensor& from) {
  Tensor tensor;
  for (const std::size_t side : from.get_shape()) {
    tensor.shape.push_back(static_cast<std::int64_t>(side));
  }
  switch (from.get_element_type()) {
    case ov::element::f32:
      tensor.values.assign(from.data<const float>(), from.data<const float>() + from.get_size());
      break;
    case ov::element::f16:
      copy_numbers<ov::float16>(from, tensor.values);
      break;
    case ov::element::i32:
      copy_numbers<std::int32_t>(from, tensor.values);
      break;
    case ov::element::i64:
      copy_numbers<std::int64_t>(from, tensor.values);
      break;
    case ov::element::u8:
    case ov::element::boolean:
      copy_numbers<std::uint8_t>(from, tensor.values);
      break;
    default:
      throw Error(ErrorCode::unsupported,
                  fmt::format("output {} holds numbers of type {}", quote(port.name), port.type));
  }
  return tensor;
}

/// Gives a request back however the run ends.
class Lease {
 public:
  explicit Lease(OpenvinoNetwork& impl) : impl_(impl), request_(impl.take()) {}
  ~Lease() { impl_.give(request_); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ov::InferRequest& operator*() { return request_; }

 private:
  OpenvinoNetwork& impl_;
  ov::InferRequest request_;
};

std::vector<Tensor> run_once(const OpenvinoNetwork& impl, ov::InferRequest& request,
                             const std::vector<TensorView>& values) {
  std::vector<ov::Tensor> held;
  for (std::size_t i = 0; i < values.size(); ++i) {
    held.push_back(to_engine(impl.inputs[i], impl.input_types[i], values[i]));
  }
  std::vector<Tensor> results;
  try {
    for (std::size_t i = 0; i < held.size(); ++i) request.set_input_tensor(i, held[i]);
    request.infer();
    for (std::size_t i = 0; i < impl.outputs.size(); ++i) {
      results.push_back(from_engine(impl.outputs[i], request.get_output_tensor(i)));
    }
  } catch (const ov::Exception& error) {
    std::string shapes;
    for (std::size_t i = 0; i < values.size(); ++i) {
      shapes += fmt::format("{}{} {}", i == 0 ? "" : ", ", quote(impl.inputs[i].name),
                            shape_text(values[i].shape));
    }
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("the network does not run on {}: {}", shapes, plain_words(error.what())), {},
        impl.origin);
  }
  return results;
}

/// Puts `part` behind `whole` along the first dimension.
void append_rows(Tensor& whole, Tensor&& part) {
  if (whole.values.empty() && whole.shape.empty()) {
    whole = std::move(part);
    return;
  }
  if (part.shape.size() != whole.shape.size() || part.shape.empty()) {
    throw Error(ErrorCode::internal, "rows of a batch gave outputs of different rank");
  }
  whole.values.insert(whole.values.end(), part.values.begin(), part.values.end());
  whole.shape.front() += part.shape.front();
}

/// Row `i` of a batch of `rows`; an input with a single row serves all of them.
TensorView row_of(TensorView value, std::size_t i, std::vector<std::int64_t>& shape) {
  shape.assign(value.shape.begin(), value.shape.end());
  const auto rows = static_cast<std::size_t>(shape.front());
  shape.front() = 1;
  const std::size_t length = value.values.size() / rows;
  return {shape, value.values.subspan(rows == 1 ? 0 : i * length, length)};
}

std::vector<Tensor> run_rows(const OpenvinoNetwork& impl, ov::InferRequest& request,
                             const std::vector<TensorView>& values, std::size_t rows) {
  std::vector<Tensor> whole(impl.outputs.size());
  std::vector<std::vector<std::int64_t>> shapes(values.size());
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<TensorView> one;
    for (std::size_t k = 0; k < values.size(); ++k) one.push_back(row_of(values[k], i, shapes[k]));
    std::vector<Tensor> results = run_once(impl, request, one);
    for (std::size_t k = 0; k < results.size(); ++k) append_rows(whole[k], std::move(results[k]));
  }
  return whole;
}

/// The given values in the order of the network's inputs.
std::vector<TensorView> in_order(const Network::Impl& impl, std::span<const NamedInput> given) {
  std::vector<std::string> names;
  for (const Port& port : impl.inputs) names.push_back(port.name);
  if (given.size() != names.size()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} inputs for a network that takes {}: {}", given.size(), names.size(),
                            enumerate(names)),
                {}, impl.origin);
  }
  std::vector<std::optional<TensorView>> found(names.size());
  for (const NamedInput& input : given) {
    std::size_t index = 0;
    if (!input.name.empty() || names.size() > 1) {
      while (index < names.size() && names[index] != input.name) ++index;
    }
    if (index == names.size() || found[index]) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("{} {}", index == names.size() ? "there is no input" : "given twice: input",
                      quote(input.name)),
          did_you_mean(input.name, names), impl.origin);
    }
    require_shape(impl.inputs[index], input.value);
    found[index] = input.value;
  }
  std::vector<TensorView> values;
  for (const auto& value : found) values.push_back(*value);
  return values;
}

}  // namespace

ov::InferRequest OpenvinoNetwork::take() {
  std::unique_lock lock(mutex);
  returned.wait(lock, [this] { return !idle.empty() || not_made > 0; });
  if (!idle.empty()) {
    ov::InferRequest request = std::move(idle.back());
    idle.pop_back();
    return request;
  }
  ov::InferRequest request = compiled.create_infer_request();
  --not_made;
  return request;
}

void OpenvinoNetwork::give(ov::InferRequest request) {
  {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(request));
  }
  returned.notify_one();
}

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const std::vector<Port>& Network::inputs() const noexcept {
  return impl_->inputs;
}
const std::vector<Port>& Network::outputs() const noexcept {
  return impl_->outputs;
}

std::size_t Network::output_index(std::string_view name) const {
  std::vector<std::string> names;
  for (const Port& port : impl_->outputs) {
    if (port.name == name) return names.size();
    names.push_back(port.name);
  }
  const std::string near = did_you_mean(name, names);
  throw Error(ErrorCode::not_found, fmt::format("the network has no output {}", quote(name)),
              near.empty() ? fmt::format("its outputs are {}", enumerate(names)) : near,
              impl_->origin);
}

std::vector<Tensor> OpenvinoNetwork::run(const std::vector<TensorView>& values) {
  std::size_t rows = 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (needs_rows(inputs[i], values[i])) {
      const auto have = static_cast<std::size_t>(values[i].shape.front());
      if (rows != 1 && rows != have) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("inputs of {} and {} rows in one run", rows, have), {}, origin);
      }
      rows = have;
    }
  }
  Lease request(*this);
  return rows == 1 ? run_once(*this, *request, values) : run_rows(*this, *request, values, rows);
}

std::vector<Tensor> Network::run(std::span<const NamedInput> inputs) const {
  return impl_->run(in_order(*impl_, inputs));
}

std::vector<Tensor> Network::run(TensorView input) const {
  const NamedInput named{{}, input};
  return run(std::span(&named, 1));
}

}  // namespace sosia::models
