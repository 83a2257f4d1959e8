// The parts of the Milvus engine that need no server, and its client against a made-up one.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include "errors.hpp"
#include "gallery/milvus_rows.hpp"

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <httplib.h>

namespace sosia::gallery {
namespace {

using milvus::Client;
using milvus::Columns;
using milvus::Document;
using milvus::Kind;
using milvus::State;
using milvus::SubjectRow;
using milvus::TemplateRow;

// --- addresses ---

TEST(MilvusAddress, PartsAndDefaults) {
  const MilvusAddress full = parse_milvus_address(
      "milvus://db.example:29530/people_1?management=29091&lease=5&timeout=7&shards=4");
  EXPECT_EQ(full.host, "db.example");
  EXPECT_EQ(full.port, 29530);
  EXPECT_EQ(full.management_port, 29091);
  EXPECT_EQ(full.collection, "people_1");
  EXPECT_EQ(full.lease_ms, 5000);
  EXPECT_EQ(full.timeout_ms, 7000);
  EXPECT_EQ(full.shards, 4);
  EXPECT_EQ(full.text(), "milvus://db.example:29530/people_1?management=29091");
  const MilvusAddress plain = parse_milvus_address("milvus://10.0.0.1/g");
  EXPECT_EQ(plain.port, 19530);
  EXPECT_EQ(plain.management_port, 9091);
  const MilvusAddress v6 = parse_milvus_address("milvus://[::1]:1/g");
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.port, 1);
  EXPECT_EQ(parse_milvus_address(v6.text()).host, "::1");
  EXPECT_TRUE(is_milvus_place("milvus://x"));
  EXPECT_FALSE(is_milvus_place("./milvus"));
}

TEST(MilvusAddress, WhatIsWrongIsSaid) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"milvus://", "collection is missing"},
      {"milvus://host:19530", "collection is missing"},
      {"milvus:///g", "host is missing"},
      {"milvus://host:/g", "port"},
      {"milvus://host:99999/g", "1 to 65535"},
      {"milvus://host:1x/g", "1 to 65535"},
      {"milvus://[::1/g", "bracket"},
      {"milvus://[::1]x/g", "behind the host"},
      {"milvus://user@host/g", "host name"},
      {"milvus://host/7g", "collection name"},
      {"milvus://host/a-b", "collection name"},
      {"milvus://host/a\"b", "collection name"},
      {"milvus://host/", "collection name"},
      {"milvus://host/g?managment=1", "did you mean management"},
      {"milvus://host/g?management=0", "1 to 65535"},
      {"milvus://host/g?", "unknown"},
  };
  for (const auto& [text, words] : cases) {
    const Error error = error_of([&, address = text] { parse_milvus_address(address); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << text;
    EXPECT_NE(error.message().find(words), std::string::npos) << error.message();
  }
}

// --- values ---

TEST(MilvusValues, LiteralsCannotBeLeft) {
  EXPECT_EQ(milvus::literal(R"(a"b\c)"), R"("a\"b\\c")");
  const std::vector<std::string> texts = {"x", "\" || true || \""};
  EXPECT_EQ(milvus::literal(std::span<const std::string>(texts)), R"(["x","\" || true || \""])");
  const std::vector<std::int64_t> numbers = {1, -2};
  EXPECT_EQ(milvus::literal(std::span<const std::int64_t>(numbers)), "[1,-2]");
}

TEST(MilvusValues, VectorsArePrintedExactly) {
  const std::vector<float> vector = {0.1f, -1e-30f, 1.0f, 3.4028235e38f, 1.0f / 3};
  std::string text;
  milvus::append_vector(text, vector);
  const Value back = parse_json(text);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    EXPECT_EQ(static_cast<float>(back.as_list()[i].as_real()), vector[i]);
  }
}

TEST(MilvusValues, ColumnsOfAnAnswer) {
  const Columns columns(parse_json(R"([
    {"type":5,"field_name":"id","Field":{"Scalars":{"Data":{"LongData":{"data":[9007199254740993,2]}}}}},
    {"type":1,"field_name":"timed","Field":{"Scalars":{"Data":{"BoolData":{"data":[true,false]}}}}},
    {"type":11,"field_name":"q","Field":{"Scalars":{"Data":{"DoubleData":{"data":[-1,0.5]}}}}},
    {"type":21,"field_name":"label","Field":{"Scalars":{"Data":{"StringData":{"data":["a","b"]}}}}},
    {"type":101,"field_name":"vector","Field":{"Vectors":{"dim":2,"Data":{"FloatVector":{"data":[1,2,3,4]}}}}}])"));
  EXPECT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns.integers("id")[0], 9007199254740993);
  EXPECT_TRUE(columns.boolean("timed", 0));
  EXPECT_FALSE(columns.boolean("timed", 1));
  EXPECT_EQ(columns.reals("q")[1], 0.5);
  EXPECT_EQ(columns.texts("label")[1], "b");
  EXPECT_EQ(columns.vector("vector", 1)[0], 3.0f);
  EXPECT_EQ(error_of([&] { columns.texts("id"); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { columns.texts("none"); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { columns.vector("vector", 2); }).code(), ErrorCode::corrupt_data);
}

TEST(MilvusValues, ColumnsThatDoNotBelongTogetherAreRefused) {
  for (
      const char* text : {
          R"([{"field_name":"a","Field":{"Scalars":{"Data":{"LongData":{"data":[1,2]}}}}},
               {"field_name":"b","Field":{"Scalars":{"Data":{"LongData":{"data":[1]}}}}}])",
          R"([{"field_name":"v","Field":{"Vectors":{"dim":3,"Data":{"FloatVector":{"data":[1,2]}}}}}])",
          R"([{"field_name":"v","Field":{"Vectors":{"dim":0,"Data":{"FloatVector":{"data":[1,2]}}}}}])",
          R"([{"field_name":"a","Field":{"Scalars":{"Data":{"LongData":{"data":["x"]}}}}}])",
          R"([{"Field":{}}])", R"({"a":1})"}) {
    EXPECT_EQ(error_of([&] { Columns(parse_json(text)); }).code(), ErrorCode::corrupt_data) << text;
  }
}

// --- rows ---

/// What the server would give back for rows of JSON text: a column per member.
Columns columns_of(const std::string& rows) {
  std::map<std::string, Value> lists;
  std::map<std::string, Value> vectors;
  const Value parsed = parse_json(rows);
  for (const Value& row : parsed.as_list()) {
    for (const auto& [name, value] : row.as_object()) {
      if (value.is_list()) {
        for (const Value& v : value.as_list()) vectors[name].push(v);
        lists[name] = Value(value.as_list().size());
      } else {
        lists[name].push(value);
      }
    }
  }
  Value fields = Value::list();
  for (const auto& [name, list] : lists) {
    Value field = Value::object({{"field_name", name}});
    if (vectors.contains(name)) {
      field.set(
          "Field",
          Value::object(
              {{"Vectors",
                Value::object(
                    {{"dim", list},
                     {"Data", Value::object({{"FloatVector",
                                              Value::object({{"data", vectors[name]}})}})}})}}));
    } else {
      const Value& first = list.as_list().front();
      const char* kind = first.is_text()                        ? "StringData"
                         : first.type() == Value::Type::boolean ? "BoolData"
                         : name == "quality" || name == "norm"  ? "DoubleData"
                                                                : "LongData";
      field.set("Field",
                Value::object(
                    {{"Scalars",
                      Value::object(
                          {{"Data", Value::object({{kind, Value::object({{"data", list}})}})}})}}));
    }
    fields.push(std::move(field));
  }
  return Columns(fields);
}

TemplateRow full_row() {
  TemplateRow row{.subject = 4, .enrolled_ms = 1'700'000'000'000, .birth = {3, 99}};
  row.value.id = 17;
  row.value.label = "a \"b\"\n\xe2\x80\xa8\xc3\xa4";
  row.value.tenant = "t";
  row.value.camera = "c";
  row.value.origin = "/o";
  row.value.quality = 0.125;
  row.value.time_ms = -1;
  row.value.metadata = Value::object({{"x", Value::list({1, 2.5, nullptr})}});
  row.value.vector = {0.6f, -0.8f, 0.0f, 1e-20f};
  return row;
}

TEST(MilvusRows, TemplatesComeBack) {
  std::vector<TemplateRow> rows(2, full_row());
  rows[1].value.id = 18;
  rows[1].value.quality.reset();
  rows[1].value.time_ms.reset();
  rows[1].value.metadata = {};
  const auto back =
      milvus::read_templates(columns_of(milvus::to_rows(std::span<const TemplateRow>(rows))));
  ASSERT_EQ(back.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back[i].value.label, rows[i].value.label);
    EXPECT_EQ(back[i].value.quality, rows[i].value.quality);
    EXPECT_EQ(back[i].value.time_ms, rows[i].value.time_ms);
    EXPECT_EQ(back[i].value.metadata, rows[i].value.metadata);
    EXPECT_EQ(back[i].value.vector, rows[i].value.vector);
    EXPECT_EQ(back[i].subject, 4);
    EXPECT_EQ(back[i].birth.session, 99);
    EXPECT_EQ(milvus::checksum(back[i]), milvus::checksum(rows[i]));
  }
}

TEST(MilvusRows, EveryChangedFieldOfARowIsNoticed) {
  const std::vector<TemplateRow> rows = {full_row()};
  const std::string good = milvus::to_rows(std::span<const TemplateRow>(rows));
  const std::vector<std::pair<const char*, const char*>> changes = {
      {"\"id\":17", "\"id\":16"},
      {"\"subject\":4", "\"subject\":5"},
      {"\"tenant\":\"t\"", "\"tenant\":\"u\""},
      {"\"camera\":\"c\"", "\"camera\":\"\""},
      {"\"origin\":\"/o\"", "\"origin\":\"/p\""},
      {"\"quality\":0.125", "\"quality\":0.25"},
      {"\"time_ms\":-1", "\"time_ms\":0"},
      {"\"timed\":true", "\"timed\":false"},
      {"\"enrolled_ms\":17", "\"enrolled_ms\":18"},
      {"\"born\":3", "\"born\":2"},
      {"\"session\":99", "\"session\":98"},
      {"[0.6,", "[0.6000001,"},
      {"2.5", "2.75"},
      {"\"label\":\"a", "\"label\":\"b"},
  };
  for (const auto& [from, to] : changes) {
    std::string bad = good;
    const std::size_t at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    bad.replace(at, std::string_view(from).size(), to);
    EXPECT_EQ(error_of([&] { milvus::read_templates(columns_of(bad)); }).code(),
              ErrorCode::corrupt_data)
        << from;
  }
}

TEST(MilvusRows, SubjectsComeBack) {
  std::vector<SubjectRow> rows(1);
  rows[0] = {.row = 5,
             .subject = 2,
             .label = "x",
             .tenant = "y",
             .audit_key = std::string(64, 'a'),
             .templates = 3,
             .given_up = 1,
             .oldest_ms = -7,
             .norm = 2.0000000001,
             .centroid = {1, 0},
             .birth = {8, 9}};
  const std::string text = milvus::to_rows(std::span<const SubjectRow>(rows));
  const auto back = milvus::read_subjects(columns_of(text));
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].norm, rows[0].norm);
  EXPECT_EQ(back[0].oldest_ms, -7);
  EXPECT_EQ(back[0].centroid, rows[0].centroid);
  std::string bad = text;
  bad.replace(bad.find("\"templates\":3"), 13, "\"templates\":4");
  EXPECT_EQ(error_of([&] { milvus::read_subjects(columns_of(bad)); }).code(),
            ErrorCode::corrupt_data);
}

TEST(MilvusRows, DocumentsAreCutAndPutTogether) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "\xe2\x82\xac";  // no cut falls inside a character
  std::vector<Document> documents = {
      {.kind = Kind::calibration, .number = 1, .body = text, .birth = {1, 5}},
      {.kind = Kind::audit, .number = 2, .body = "", .birth = {1, 5}},
      {.kind = Kind::audit, .number = 2, .body = "other session", .birth = {1, 6}}};
  const std::string rows = milvus::to_rows(std::span(documents));
  EXPECT_EQ(documents[0].rows.size(), 3u);
  const Value parsed = parse_json(rows);
  for (const Value& row : parsed.as_list()) {
    EXPECT_LT(row.at("body").as_text().size(), 65'535u);
  }
  const auto back = milvus::read_documents(columns_of(rows));
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0].body, text);
  EXPECT_EQ(back[1].body, "");
  EXPECT_EQ(back[2].body, "other session");
  // A document that was not sent to its end is none.
  Value cut = parsed;
  cut.as_list().erase(cut.as_list().begin() + 1);
  EXPECT_EQ(milvus::read_documents(columns_of(to_json(cut))).size(), 2u);
}

TEST(MilvusRows, TheStateComesBackAndSaysWhatCounts) {
  State state;
  state.id = "ab";
  state.dimension = 512;
  state.type = StoredType::f32;
  state.min_quality = 0.25;
  state.model = "m";
  state.sequence = 8;
  state.generation = 7;
  state.digest = INT64_MIN;
  state.retired_templates = {3, 4};
  state.retired_subject_rows = {5};
  state.forgotten = {6};
  state.fences = {{99, 5}};
  state.widths = {{10, 64, 0.995, 200}};
  const State back = milvus::state_from_value(parse_json(to_json(to_value(state))));
  EXPECT_EQ(to_value(back), to_value(state));
  EXPECT_EQ(milvus::visible_templates(back),
            "born <= 7 && !(session == 99 && born > 5) && id not in [3,4] && subject not in [6]");
  EXPECT_EQ(milvus::visible_subjects(back),
            "born <= 7 && !(session == 99 && born > 5) && id not in [5] && subject not in [6]");
  Value newer = to_value(state);
  newer.set("schema", "sosia.milvus_gallery/2");
  EXPECT_EQ(error_of([&] { milvus::state_from_value(newer); }).code(), ErrorCode::unsupported);
  Value broken = to_value(state);
  broken.set("dimension", 0);
  EXPECT_EQ(error_of([&] { milvus::state_from_value(broken); }).code(), ErrorCode::corrupt_data);
}

// --- the client, against a server that says what a test wants ---

class FakeMilvus {
 public:
  using Handler = std::function<std::string(const std::string& path, const std::string& body)>;
  explicit FakeMilvus(Handler handler) {
    const auto answer = [handler = std::move(handler)](const httplib::Request& request,
                                                       httplib::Response& response) {
      response.set_content(handler(request.path, request.body), "application/json");
    };
    server_.Get(".*", answer);
    server_.Post(".*", answer);
    server_.Delete(".*", answer);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~FakeMilvus() {
    server_.stop();
    thread_.join();
  }
  MilvusAddress address(std::int64_t timeout_ms = 5000) const {
    MilvusAddress address;
    address.host = "127.0.0.1";
    address.port = address.management_port = port_;
    address.collection = "c";
    address.timeout_ms = timeout_ms;
    return address;
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

TEST(MilvusClient, WhatPassesIsTriedAgain) {
  std::atomic<int> calls{0};
  FakeMilvus server([&](const std::string&, const std::string&) -> std::string {
    if (++calls < 4) {
      return R"({"status":{"error_code":1,"code":101,"reason":"collection not loaded"}})";
    }
    // ")" and a quote follow each other in the text: a raw string with a word of its own.
    return R"json({"status":{},"fields_data":[{"field_name":"count(*)",)json"
           R"("Field":{"Scalars":{"Data":{"LongData":{"data":[5]}}}}}]})";
  });
  Client client(server.address());
  RunContext run;
  EXPECT_EQ(client.count("c", "", run), 5u);
  EXPECT_EQ(calls, 4);
}

TEST(MilvusClient, RefusalsAreErrorsWithTheServersWords) {
  FakeMilvus server([&](const std::string& path, const std::string&) -> std::string {
    if (path == "/v1/vector/upsert") return R"({"code":1804,"message":"fail to deal the data"})";
    if (path == "/v1/vector/delete") return R"({"data":{}})";
    if (path == "/api/v1/collection") {
      return R"({"status":{"error_code":1,"code":100,"reason":"collection not found"}})";
    }
    return R"({"error_code":1,"code":65535,"reason":"cannot parse expression"})";
  });
  Client client(server.address());
  RunContext run;
  const Error upsert = error_of([&] { client.upsert("c", "[]", run); });
  EXPECT_EQ(upsert.code(), ErrorCode::io);
  EXPECT_NE(upsert.message().find("fail to deal the data"), std::string::npos);
  EXPECT_NE(upsert.message().find("1804"), std::string::npos);
  EXPECT_EQ(error_of([&] { client.erase("c", std::vector<std::int64_t>{1}, run); }).code(),
            ErrorCode::io);
  EXPECT_EQ(error_of([&] { client.description("c", run); }).code(), ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { client.drop_index("c", run); }).code(), ErrorCode::io);
}

TEST(MilvusClient, WhatDoesNotPassEndsWithTheTime) {
  FakeMilvus server([](const std::string&, const std::string&) -> std::string {
    return R"({"status":{"error_code":1,"code":1,"reason":"service not ready"}})";
  });
  Client client(server.address(300));
  RunContext run;
  const Error error = error_of([&] { client.count("c", "", run); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_NE(error.message().find("not ready"), std::string::npos);
}

TEST(MilvusClient, AnswersThatDoNotFitTheQuestionAreRefused) {
  for (
      const char* text :
      {// two lists for one probe, scores missing, rows missing, no results
       R"({"status":{},"results":{"topks":[1,1],"scores":[1,1],"fields_data":[{"field_name":"id","Field":{"Scalars":{"Data":{"LongData":{"data":[1,2]}}}}}]}})",
       R"({"status":{},"results":{"topks":[1],"fields_data":[{"field_name":"id","Field":{"Scalars":{"Data":{"LongData":{"data":[1]}}}}}]}})",
       R"({"status":{},"results":{"topks":[2],"scores":[1,1],"fields_data":[{"field_name":"id","Field":{"Scalars":{"Data":{"LongData":{"data":[1]}}}}}]}})",
       R"({"status":{}})", R"([1,2])", R"("text")", "null", "<html>"}) {
    FakeMilvus server([&](const std::string&, const std::string&) { return std::string(text); });
    Client client(server.address(1000));
    RunContext run;
    static constexpr std::string_view fields[] = {"id"};
    const std::vector<float> probe = {1, 0};
    EXPECT_EQ(error_of([&] {
                client.search("c", probe, 2, 10, "", fields, 0, milvus::Consistency::strong, run);
              }).code(),
              ErrorCode::corrupt_data)
        << text;
  }
}

TEST(MilvusClient, WhatIsAskedIsWhatIsSent) {
  std::vector<std::pair<std::string, std::string>> asked;
  std::mutex mutex;
  FakeMilvus server([&](const std::string& path, const std::string& body) -> std::string {
    const std::lock_guard lock(mutex);
    asked.emplace_back(path, body);
    if (path.starts_with("/v1/")) return R"({"code":200,"data":{}})";
    return R"({"status":{},"results":{"num_queries":2,"topks":[0,0],"ids":{"IdField":{"IntId":{}}}}})";
  });
  Client client(server.address());
  RunContext run;
  static constexpr std::string_view fields[] = {"id", "label"};
  const std::vector<float> probes = {1, 0, 0, 0.5f};
  const auto found = client.search("c", probes, 2, 7, "label == \"a\\\"b\"", fields, 64,
                                   milvus::Consistency::strong, run);
  EXPECT_EQ(found.counts, (std::vector<std::size_t>{0, 0}));
  const Value sent = parse_json(asked.at(0).second);
  EXPECT_EQ(asked[0].first, "/api/v1/search");
  EXPECT_EQ(sent.at("dsl").as_text(), "label == \"a\\\"b\"");
  EXPECT_EQ(sent.at("guarantee_timestamp").as_integer(), 0);
  EXPECT_EQ(sent.at("vectors").as_list().size(), 2u);
  EXPECT_EQ(sent.at("vectors").as_list()[1].as_list()[1].as_real(), 0.5);
  EXPECT_EQ(sent.at("search_params").as_list()[1].at("value").as_text(), "7");
  EXPECT_EQ(sent.at("search_params").as_list()[3].at("value").as_text(), R"({"ef":64})");
  std::vector<std::int64_t> ids(12'000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i);
  client.erase("c", ids, run);
  EXPECT_EQ(asked.size(), 4u);  // in pieces
}

}  // namespace
}  // namespace sosia::gallery
