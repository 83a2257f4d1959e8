#include "gallery/milvus.hpp"
#include "sosia/core/text.hpp"

#include <array>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

constexpr std::string_view kScheme = "milvus://";
/// Milvus allows 255; ours end in "_subjects".
constexpr std::size_t kLongestName = 240;

[[noreturn]] void refuse(std::string_view place, const std::string& reason) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", quote(place, 200), reason),
              "write milvus://host:19530/collection?management=9091");
}

int number(std::string_view place, std::string_view what, std::string_view text, long long low,
           long long high) {
  long long value = 0;
  if (!parse_integer(text, value) || value < low || value > high) {
    refuse(place, fmt::format("{} is {}; it must be {} to {}", what, quote(text), low, high));
  }
  return static_cast<int>(value);
}

/// host, host:port, [v6] or [v6]:port.
void parse_authority(std::string_view place, std::string_view text, MilvusAddress& address) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) refuse(place, "the bracket of the host is not closed");
    address.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    address.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? "" : text.substr(colon);
  }
  if (address.host.empty()) refuse(place, "the host is missing");
  if (address.host.find_first_of("@ \t\r\n") != std::string::npos) {
    refuse(place, fmt::format("{} is no host name", quote(address.host)));
  }
  if (port.empty()) return;
  if (port.front() != ':') refuse(place, "text stands behind the host");
  address.port = number(place, "the port", port.substr(1), 1, 65535);
}

void parse_parameter(std::string_view place, std::string_view text, MilvusAddress& address) {
  static const std::array<std::string, 4> names = {"management", "lease", "timeout", "shards"};
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  if (name == "management") {
    address.management_port = number(place, name, value, 1, 65535);
  } else if (name == "lease") {
    address.lease_ms = 1000LL * number(place, name, value, 1, 3600);
  } else if (name == "timeout") {
    address.timeout_ms = 1000LL * number(place, name, value, 1, 3600);
  } else if (name == "shards") {
    address.shards = number(place, name, value, 1, 16);
  } else {
    refuse(place, fmt::format("the parameter {} is unknown; {}", quote(name),
                              did_you_mean(name, names).empty() ? "there are " + enumerate(names)
                                                                : did_you_mean(name, names)));
  }
}

}  // namespace

std::string MilvusAddress::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}{}:{}/{}?management={}", kScheme, v6 ? "[" : "", host, v6 ? "]" : "",
                     port, collection, management_port);
}

bool is_milvus_place(std::string_view place) {
  return place.starts_with(kScheme);
}

MilvusAddress parse_milvus_address(std::string_view place) {
  MilvusAddress address;
  if (!is_milvus_place(place)) refuse(place, "this is no Milvus address");
  std::string_view rest = place.substr(kScheme.size());
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    for (const std::string_view part : split(rest.substr(question + 1), '&')) {
      parse_parameter(place, part, address);
    }
    rest = rest.substr(0, question);
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) refuse(place, "the collection is missing");
  parse_authority(place, rest.substr(0, slash), address);
  address.collection = rest.substr(slash + 1);
  const std::string& name = address.collection;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  bool good = !name.empty() && name.size() <= kLongestName && letter(name.front());
  for (const char c : name) good = good && (letter(c) || (c >= '0' && c <= '9'));
  if (!good) {
    refuse(place, fmt::format("{} is no collection name: letters, digits and _, at most {}, no "
                              "digit first",
                              quote(name), kLongestName));
  }
  return address;
}

}  // namespace sosia::gallery
