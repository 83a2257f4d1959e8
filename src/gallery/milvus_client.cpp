#include "gallery/milvus_client.hpp"

#include "sosia/core/text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace sosia::gallery::milvus {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Rows of one answer are bounded by the server at some hundred megabytes of text.
constexpr std::uint64_t kLargestAnswerBytes = std::uint64_t{1} << 30;
constexpr const char* kIndexName = "sosia_index";

/// Codes of Milvus 2.3 (pkg/util/merr/errors.go) for what passes by itself.
bool passing(std::int64_t code) {
  switch (code) {
    case 1:    // service not ready
    case 2:    // service unavailable
    case 4:    // request limit exceeded
    case 8:    // rate limit
    case 101:  // collection not loaded: an index is being exchanged
    case 103:  // collection not fully loaded
    case 500:  // channel not found: the server has just started
    case 501:
    case 502:
    case 503:
    case 901:  // node not found
    case 902:
    case 903:
    case 904:
      return true;
    default:
      return false;
  }
}
constexpr std::int64_t kCollectionNotFound = 100;

/// The code and reason of an answer; 0 when all is well.
struct Outcome {
  std::int64_t code = 0;
  std::string reason;
};

std::int64_t integer_of(const Value* value) {
  return value != nullptr && value->type() == Value::Type::integer ? value->as_integer() : 0;
}

Outcome outcome_of(const Value& answer) {
  // The management port answers {"status": {...}, ...} or the status alone.
  const Value* status = answer.find("status");
  if (status == nullptr) status = &answer;
  Outcome outcome;
  if (status->is_object()) {
    const std::int64_t old_code = integer_of(status->find("error_code"));
    outcome.code = integer_of(status->find("code"));
    if (outcome.code == 0) outcome.code = old_code == 0 ? 0 : 65535;
    if (const Value* reason = status->find("reason"); reason != nullptr && reason->is_text()) {
      outcome.reason = reason->as_text();
    }
  }
  return outcome;
}

Error failure(const Outcome& outcome, const std::string& path) {
  const ErrorCode code = outcome.code == kCollectionNotFound ? ErrorCode::not_found : ErrorCode::io;
  return Error(code, fmt::format("the Milvus server refused (code {}): {}", outcome.code,
                                 quote(outcome.reason, 300)))
      .add_context(path);
}

HttpOptions http_options(const MilvusAddress& address) {
  HttpOptions options;
  options.connect_timeout_ms = std::min<std::int64_t>(5'000, address.timeout_ms);
  options.read_timeout_ms = address.timeout_ms;
  options.overall_timeout_ms = address.timeout_ms;
  options.max_response_bytes = kLargestAnswerBytes;
  return options;
}

void pause(RunContext& run, milliseconds time) {
  for (; time.count() > 0; time -= milliseconds(20)) {
    run.check_cancelled();
    std::this_thread::sleep_for(std::min(time, milliseconds(20)));
  }
}

/// Calls `attempt` until it gives a code that does not pass by itself, or the time is over.
template <class Attempt>
Value until_ready(std::int64_t timeout_ms, const std::string& path, RunContext& run,
                  Attempt&& attempt) {
  const Clock::time_point end = Clock::now() + milliseconds(timeout_ms);
  milliseconds wait{50};
  for (;;) {
    Value answer;
    const Outcome outcome = attempt(answer);
    if (outcome.code == 0) return answer;
    if (!passing(outcome.code) || Clock::now() + wait > end) throw failure(outcome, path);
    pause(run, wait);
    wait = std::min(wait * 2, milliseconds(1000));
  }
}

std::string named(const std::string& collection) {
  return R"({"collection_name":")" + collection + "\"}";
}

std::string on_index(const std::string& collection) {
  return fmt::format(R"({{"collection_name":"{}","field_name":"vector","index_name":"{}"}})",
                     collection, kIndexName);
}

std::string list_of(std::span<const std::string_view> names) {
  std::string out = "[";
  for (const std::string_view name : names) {
    if (out.size() > 1) out += ',';
    out += fmt::format("\"{}\"", name);
  }
  return out + "]";
}

std::string json_text(std::string_view text) {
  return to_json(Value(text), -1);
}

int timestamp(Consistency consistency) {
  return consistency == Consistency::strong ? 0 : 1;
}

}  // namespace

Client::Client(const MilvusAddress& address)
    : management_(address.host, address.management_port, http_options(address)),
      public_(address.host, address.port, http_options(address)),
      timeout_ms_(address.timeout_ms) {}

Value Client::manage(const char* method, const std::string& path, const std::string& body,
                     RunContext& run) {
  // All of them may be repeated: they read, or bring about a state.
  const HttpRequest request{.method = method, .path = "/api/v1" + path, .body = body};
  return until_ready(timeout_ms_, request.path, run, [&](Value& answer) {
    answer = management_.send_json(request, run);
    return outcome_of(answer);
  });
}

Value Client::vectors(const std::string& path, const std::string& body, RunContext& run) {
  const HttpRequest request{.method = "POST", .path = "/v1/vector" + path, .body = body};
  return until_ready(timeout_ms_, request.path, run, [&](Value& answer) {
    answer = public_.send_json(request, run);
    const std::int64_t code = integer_of(answer.find("code"));
    const Value* message = answer.find("message");
    // 200 is this interface's word for success.
    return Outcome{code == 200 ? 0 : (code == 0 ? 65535 : code),
                   message != nullptr && message->is_text() ? message->as_text() : ""};
  });
}

bool Client::has_collection(const std::string& name, RunContext& run) {
  const Value answer = manage("GET", "/collection/existence", named(name), run);
  const Value* value = answer.find("value");
  return value != nullptr && value->type() == Value::Type::boolean && value->as_boolean();
}

void Client::create_collection(const std::string& name, std::span<const FieldSpec> fields,
                               int shards, const std::string& description, RunContext& run) {
  Value list = Value::list();
  for (const FieldSpec& field : fields) {
    Value entry =
        Value::object({{"name", field.name}, {"data_type", static_cast<int>(field.type)}});
    if (field.primary) {
      entry.set("is_primary_key", true);
      entry.set("autoID", false);
    }
    if (field.size > 0) {
      const char* key = field.type == FieldSpec::Type::vector ? "dim" : "max_length";
      entry.set(
          "type_params",
          Value::list({Value::object({{"key", key}, {"value", std::to_string(field.size)}})}));
    }
    list.push(std::move(entry));
  }
  const Value body = Value::object({{"collection_name", name},
                                    {"consistency_level", 0},
                                    {"shards_num", shards},
                                    {"schema", Value::object({{"name", name},
                                                              {"autoID", false},
                                                              {"description", description},
                                                              {"fields", std::move(list)}})}});
  manage("POST", "/collection", to_json(body, -1), run);
}

void Client::drop_collection(const std::string& name, RunContext& run) {
  manage("DELETE", "/collection", named(name), run);
}

std::string Client::description(const std::string& name, RunContext& run) {
  const Value answer = manage("GET", "/collection", named(name), run);
  const Value* text = answer.at("schema").find("description");
  return text != nullptr && text->is_text() ? text->as_text() : "";
}

void Client::create_index(const std::string& name, const IndexSpec& index, RunContext& run) {
  const std::string params = index.type == "HNSW" ? fmt::format(R"({{"M":{},"efConstruction":{}}})",
                                                                index.links, index.build_width)
                                                  : "{}";
  const auto pair = [](const char* key, const std::string& value) {
    return Value::object({{"key", key}, {"value", value}});
  };
  const Value body = Value::object(
      {{"collection_name", name},
       {"field_name", "vector"},
       {"index_name", kIndexName},
       {"extra_params", Value::list({pair("index_type", index.type), pair("metric_type", "IP"),
                                     pair("params", params)})}});
  manage("POST", "/index", to_json(body, -1), run);
}

void Client::drop_index(const std::string& name, RunContext& run) {
  manage("DELETE", "/index", on_index(name), run);
}

std::string Client::index_type(const std::string& name, RunContext& run) {
  constexpr std::int64_t kIndexNotFound = 700;
  Value answer;
  try {
    answer = manage("GET", "/index", on_index(name), run);
  } catch (const Error& error) {
    if (error.message().find(fmt::format("code {}", kIndexNotFound)) != std::string::npos)
      return "";
    throw;
  }
  const Value* descriptions = answer.find("index_descriptions");
  if (descriptions == nullptr || !descriptions->is_list()) return "";
  for (const Value& entry : descriptions->as_list()) {
    const Value* params = entry.find("params");
    if (params == nullptr || !params->is_list()) continue;
    for (const Value& pair : params->as_list()) {
      if (pair.at("key").as_text() == "index_type") return pair.at("value").as_text();
    }
  }
  return "";
}

void Client::wait_for_index(const std::string& name, RunContext& run) {
  for (;;) {
    const Value answer = manage("GET", "/index/progress", on_index(name), run);
    const std::int64_t total = integer_of(answer.find("total_rows"));
    const std::int64_t done = integer_of(answer.find("indexed_rows"));
    if (done >= total) return;
    run.progress("index", static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total));
    pause(run, milliseconds(200));
  }
}

void Client::load(const std::string& name, RunContext& run) {
  manage("POST", "/collection/load", named(name), run);
}

void Client::wait_loaded(const std::string& name, RunContext& run) {
  // A query waits until the collection can be read; `manage` repeats what is refused before.
  count(name, "", run);
}

void Client::release(const std::string& name, RunContext& run) {
  manage("DELETE", "/collection/load", named(name), run);
}

void Client::flush(const std::string& name, RunContext& run) {
  manage("POST", "/persist", R"({"collection_names":[")" + name + "\"]}", run);
}

void Client::compact(const std::string& name, RunContext& run) {
  const Value answer = manage("GET", "/collection", named(name), run);
  manage("POST", "/compaction",
         fmt::format(R"({{"collectionID":{}}})", answer.at("collectionID").as_integer()), run);
}

void Client::upsert(const std::string& name, const std::string& rows, RunContext& run) {
  vectors("/upsert", fmt::format(R"({{"collectionName":"{}","data":{}}})", name, rows), run);
}

void Client::erase(const std::string& name, std::span<const std::int64_t> ids, RunContext& run) {
  constexpr std::size_t kAtOnce = 5000;
  for (std::size_t first = 0; first < ids.size(); first += kAtOnce) {
    const auto part = ids.subspan(first, std::min(kAtOnce, ids.size() - first));
    vectors("/delete", fmt::format(R"({{"collectionName":"{}","id":{}}})", name, literal(part)),
            run);
  }
}

Columns Client::query(const std::string& name, const std::string& expression,
                      std::span<const std::string_view> fields, Consistency consistency,
                      RunContext& run) {
  const std::string body = fmt::format(
      R"({{"collection_name":"{}","expr":{},"output_fields":{},"guarantee_timestamp":{}}})", name,
      json_text(expression), list_of(fields), timestamp(consistency));
  const Value answer = manage("POST", "/query", body, run);
  const Value* data = answer.find("fields_data");
  return data == nullptr ? Columns() : Columns(*data);
}

std::uint64_t Client::count(const std::string& name, const std::string& expression,
                            RunContext& run) {
  static constexpr std::string_view kCount[] = {"count(*)"};
  const Columns columns = query(name, expression, kCount, Consistency::strong, run);
  if (columns.size() == 0) return 0;
  return static_cast<std::uint64_t>(columns.integers("count(*)").at(0));
}

Found Client::search(const std::string& name, std::span<const float> probes, std::size_t dimension,
                     std::size_t most, const std::string& expression,
                     std::span<const std::string_view> fields, std::size_t width,
                     Consistency consistency, RunContext& run) {
  const std::string params = width == 0 ? "{}" : fmt::format(R"({{\"ef\":{}}})", width);
  std::string body = fmt::format(
      R"({{"collection_name":"{}","output_fields":{},"search_params":[)"
      R"({{"key":"anns_field","value":"vector"}},{{"key":"topk","value":"{}"}},)"
      R"({{"key":"metric_type","value":"IP"}},{{"key":"params","value":"{}"}},)"
      R"({{"key":"round_decimal","value":"-1"}}],"dsl":{},"dsl_type":1,)"
      R"("guarantee_timestamp":{},"vectors":[)",
      name, list_of(fields), most, params, json_text(expression), timestamp(consistency));
  for (std::size_t first = 0; first < probes.size(); first += dimension) {
    if (first > 0) body += ',';
    append_vector(body, probes.subspan(first, dimension));
  }
  body += "]}";
  const Value answer = manage("POST", "/search", body, run);
  const Value& results = answer.at("results");
  Found found;
  if (const Value* counts = results.find("topks"); counts != nullptr && counts->is_list()) {
    for (const Value& count : counts->as_list()) {
      found.counts.push_back(static_cast<std::size_t>(count.as_integer()));
    }
  }
  if (const Value* scores = results.find("scores"); scores != nullptr && scores->is_list()) {
    for (const Value& score : scores->as_list()) {
      found.scores.push_back(static_cast<float>(score.as_real()));
    }
  }
  std::size_t total = 0;
  for (const std::size_t count : found.counts) total += count;
  if (total > 0) found.columns = Columns(results.at("fields_data"));
  if (found.counts.size() != probes.size() / dimension || found.scores.size() != total ||
      found.columns.size() != total) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the Milvus server answered {} probes with {} lists, {} scores and {} "
                            "rows",
                            probes.size() / dimension, found.counts.size(), found.scores.size(),
                            found.columns.size()));
  }
  return found;
}

}  // namespace sosia::gallery::milvus
