// A build-time program: writes what the catalogue reads.
//
//   sosia_index module <libsosia_x.so> <x.verbs.json>   verbs and claims of one module
//   sosia_index papers <papers.toml> <papers.json> [CARD.md...]   planned systems and their cards
//
// It is the one program of ours that prints from its own main besides the command line.

#include "sosia/core/catalogue.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <dlfcn.h>

namespace {

using namespace sosia;

void write_if_changed(const std::string& path, const std::string& text) {
  std::error_code failed;
  if (std::filesystem::exists(path, failed) && read_text(path) == text) return;
  write_file(path, text, Overwrite::replace);
}

void index_module(const std::string& library, const std::string& out) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Error(ErrorCode::missing_feature, ::dlerror());
  auto* entry = reinterpret_cast<void (*)(Registry&)>(::dlsym(handle, "sosia_register_module"));
  if (entry == nullptr) throw Error(ErrorCode::internal, ::dlerror());
  Registry registry;
  entry(registry);
  write_if_changed(out, to_json(registry_to_index(registry), 1) + "\n");
}

/// The front matter of a card: TOML between two lines of +++.
Value front_matter(const std::string& file) {
  const std::string text = read_text(file);
  constexpr std::string_view kFence = "+++\n";
  const std::size_t end = text.find(kFence, kFence.size());
  if (!text.starts_with(kFence) || end == std::string::npos) {
    throw Error(ErrorCode::corrupt_data, "a card starts with TOML between two lines of +++", "",
                file);
  }
  return parse_toml(text.substr(kFence.size(), end - kFence.size()), file);
}

void index_papers(const std::string& planned, const std::string& out,
                  const std::vector<std::string>& cards) {
  Value papers = parse_toml(read_text(planned), planned).at("paper");
  for (Value& paper : papers.as_list()) {
    paper.set("state", "planned");
    paper.set("deviations", "");
  }
  for (const std::string& card : cards) {
    const Value header = front_matter(card);
    const std::string method = header.at("method").as_text();
    auto& list = papers.as_list();
    const auto found = std::find_if(list.begin(), list.end(), [&](const Value& paper) {
      return paper.at("method").as_text() == method;
    });
    Value& paper = found == list.end() ? papers.push(Value::object()) : *found;
    for (const char* key :
         {"method", "system", "room", "title", "venue", "aliases", "state", "deviations"}) {
      paper.set(key, header.at(key));
    }
  }
  write_if_changed(out, to_json(papers, 1) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if (args.size() == 3 && args[0] == "module") {
      index_module(args[1], args[2]);
    } else if (args.size() >= 3 && args[0] == "papers") {
      index_papers(args[1], args[2], {args.begin() + 3, args.end()});
    } else {
      std::fputs("usage: sosia_index module LIBRARY OUT | papers TOML OUT [CARD...]\n", stderr);
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sosia_index: %s\n", error.what());
    return 1;
  }
  return 0;
}
