// Uses an installed sosia from outside: headers, a value across the library's border, and an error.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <sosia/core/error.hpp>
#include <sosia/core/value.hpp>
#include <sosia/version.hpp>
#ifdef HAVE_EVALUATE
#include <sosia/evaluate.hpp>
#endif

namespace {

int failures = 0;

void check(bool holds, const char* what) {
  if (!holds) {
    std::printf("FAILED: %s\n", what);
    ++failures;
  }
}

}  // namespace

int main(int count, char** arguments) {
  check(count == 2 && sosia::kVersion == arguments[1], "the headers' version");
  check(sosia::version() == sosia::kVersion, "the library's version is the headers'");
  check(!sosia::version_commit().empty(), "the commit");

  const std::string text = R"({"name":"Ana","score":0.5})";
  check(sosia::to_json(sosia::parse_json(text), -1).find("0.5") != std::string::npos, "JSON");
  bool caught = false;
  try {
    sosia::parse_json("{");
  } catch (const sosia::Error&) {
    caught = true;
  }
  check(caught, "an error is caught as sosia::Error");

#ifdef HAVE_EVALUATE
  const auto folds = sosia::evaluate::contiguous_folds(7, 3);
  check(folds == std::vector<std::uint32_t>{0, 0, 0, 1, 1, 2, 2}, "folds");
  std::printf("core and evaluate ");
#else
  std::printf("core ");
#endif
  std::printf("of version %s, commit %s\n", std::string(sosia::version()).c_str(),
              std::string(sosia::version_commit()).c_str());
  return failures == 0 ? 0 : 1;
}
