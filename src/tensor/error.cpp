#include "tensor/error.hpp"

#include "sosia/core/text.hpp"

#include <sstream>

namespace sosia::tensor {

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  std::ostringstream out;
  out << c10::toString(tensor.scalar_type()) << ' ' << tensor.sizes();
  if (!tensor.device().is_cpu()) out << " on " << tensor.device();
  return out.str();
}

namespace {

std::string shapes(const Shown& shown) {
  std::string out;
  for (const auto& [name, tensor] : shown) {
    if (!out.empty()) out += "; ";
    out += std::string(name) + ": " + describe(tensor);
  }
  return out;
}

// The first line of LibTorch's text; the rest lists its own sources.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

void rethrow(std::exception_ptr error, std::string_view doing, const Shown& shown, ErrorCode code) {
  const std::string cannot = "cannot " + std::string(doing) + ": ";
  try {
    std::rethrow_exception(error);
  } catch (Error& known) {
    throw;
  } catch (const c10::OutOfMemoryError& known) {
    throw Error(ErrorCode::out_of_memory, cannot + first_line(known.what_without_backtrace()),
                "make the batch or the pictures smaller", shapes(shown));
  } catch (const c10::NotImplementedError& known) {
    throw Error(ErrorCode::unsupported, cannot + first_line(known.what_without_backtrace()), {},
                shapes(shown));
  } catch (const c10::AcceleratorError& known) {
    throw Error(ErrorCode::device, cannot + first_line(known.what_without_backtrace()),
                "use --device cpu to see whether the input is at fault", shapes(shown));
  } catch (const c10::Error& known) {
    // The allocator of the processor throws the base class.
    const std::string text = first_line(known.what_without_backtrace());
    const bool memory = text.find("can't allocate memory") != std::string::npos;
    throw Error(memory ? ErrorCode::out_of_memory : code, cannot + text,
                memory ? "make the batch or the pictures smaller" : "", shapes(shown));
  } catch (...) {
    throw current_exception_as_error(doing);
  }
}

}  // namespace sosia::tensor
