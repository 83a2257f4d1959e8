#include "face/identify.hpp"

#include "face/enrolment.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/decode.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr std::size_t kFacesAtOnce = 64;
// Without a wish of the user's, decisions are made up to this rate; beyond it they say too little.
constexpr double kMostDefaultFpir = 0.2;
constexpr std::size_t kItemsAtOnce = 64;  // waiting ones hold chips

image::Colour colour_of(const std::optional<gallery::Verdict>& verdict) {
  if (!verdict) return kBlue;
  switch (verdict->decision) {
    case gallery::Decision::accept:
      return kGreen;
    case gallery::Decision::unknown:
      return kRed;
    case gallery::Decision::ambiguous:
      return kAmber;
  }
  return kBlue;
}

/// "Ada, 0.998", "unknown, 0.87", "not decided".
std::string caption_of(const FaceAnswer& answer) {
  if (!answer.verdict) return "not decided";
  const gallery::Verdict& v = *answer.verdict;
  const std::string who =
      v.decision == gallery::Decision::unknown
          ? std::string("unknown")
          : (v.decision == gallery::Decision::ambiguous ? "ambiguous: " : "") + v.label;
  return fmt::format("{}, p = {}", who, format_figure(v.probability));
}

Value candidates_value(const FaceAnswer& answer, const gallery::PolicyChoice& choice) {
  Value list = Value::list();
  for (std::size_t i = 0; i < answer.candidates.size(); ++i) {
    const gallery::SubjectMatch& c = answer.candidates[i];
    Value& item = list.push(Value::object({{"label", c.label}, {"score", c.score}}));
    if (choice.calibration) item.set("pair_probability", choice.calibration->probability(c.score));
    if (answer.nearest[i] >= 0) item.set("template", answer.nearest[i]);
    if (!c.tenant.empty()) item.set("tenant", c.tenant);
  }
  return list;
}

Value face_value(const FaceAnswer& answer, const gallery::PolicyChoice& choice) {
  Value face = Value::object({{"box", to_value(answer.box)},
                              {"decision", nullptr},
                              {"label", nullptr},
                              {"probability", nullptr}});
  if (answer.verdict) {
    face.set("decision", gallery::to_string(answer.verdict->decision));
    face.set("probability", answer.verdict->probability);
    if (answer.verdict->decision != gallery::Decision::unknown) {
      face.set("label", answer.verdict->label);
    }
  }
  face.set("candidates", candidates_value(answer, choice));
  face.set("detector_score", rounded(answer.score, 4));
  face.set("quality", rounded(answer.quality, 3));
  return face;
}

}  // namespace

Identifier::Identifier(gallery::Gallery& gallery, const FacePipeline& pipeline,
                       const IdentifySettings& settings, RunContext& run)
    : gallery_(gallery),
      pipeline_(pipeline),
      settings_(settings),
      run_(run),
      info_(gallery.info()),
      calibration_(gallery.calibration()) {
  require_same_model(gallery, pipeline, run);
  // The rule that the calibration in force is for: another one would leave all undecided.
  if (calibration_) rule_ = calibration_->rule;
  // A record of single comparisons: every template is another chance for a false match.
  const bool single = calibration_ && calibration_->probe_subjects.empty() &&
                      calibration_->rule == gallery::SubjectRule::maximum;
  comparisons_ = single ? info_.templates : info_.subjects;
  if (info_.subjects == 0) return;
  choice_ = choice_at(settings.max_fpir);
  if (!choice_.policy && !settings.max_fpir) take_least_rate();
  if (choice_.policy) choice_.policy->prior = settings.prior;
}

gallery::PolicyChoice Identifier::choice_at(std::optional<double> max_fpir) const {
  gallery::PolicyChoice choice = gallery::choose_policy(calibration_, info_, rule_, max_fpir,
                                                        comparisons_, gallery::FpirRule::per_probe);
  // Probabilities are shared out among subjects, whatever the rate counts.
  if (choice.policy) choice.policy->subjects = info_.subjects;
  return choice;
}

void Identifier::take_least_rate() {
  if (!calibration_) return;
  const double least =
      gallery::smallest_fpir(*calibration_, comparisons_, gallery::FpirRule::per_probe);
  if (least <= gallery::kDefaultFpir || least > kMostDefaultFpir) return;
  gallery::PolicyChoice choice = choice_at(least);
  if (!choice.policy) return;
  choice_ = std::move(choice);
  remark_ = fmt::format(
      "the calibration cannot promise a false positive identification rate of {:g} for {} "
      "comparisons a search; decisions are at {:g}, the smallest that it supports (--max-fpir)",
      gallery::kDefaultFpir, comparisons_, least);
}

void Identifier::add(SourceItem&& item) {
  waiting_faces_ += item.analysis.faces.size();
  waiting_.push_back(std::move(item));
  if (waiting_faces_ >= kFacesAtOnce || waiting_.size() >= kItemsAtOnce) answer();
}

void Identifier::finish() {
  answer();
}

void Identifier::decide(FaceAnswer& answer, const gallery::SearchResult& result) {
  if (choice_.policy) {
    answer.verdict = gallery::decide(*choice_.calibration, *choice_.policy, result.subjects);
  } else if (info_.subjects == 0) {
    answer.verdict = gallery::Verdict{.probability = 1};
  }
  for (const gallery::SubjectMatch& subject : result.subjects) {
    if (answer.candidates.size() >= settings_.candidates) break;
    answer.candidates.push_back(subject);
    const auto nearest = std::find_if(
        result.templates.begin(), result.templates.end(), [&](const gallery::Match& m) {
          return m.label == subject.label && m.tenant == subject.tenant;
        });
    answer.nearest.push_back(nearest == result.templates.end() ? -1 : nearest->template_id);
  }
}

void Identifier::answer() {
  std::vector<SourceItem> items = std::exchange(waiting_, {});
  waiting_faces_ = 0;
  std::vector<float> probes;
  for (SourceItem& item : items) {
    // Faces that are too poor go before they are counted or shown.
    auto& faces = item.analysis.faces;
    for (std::size_t i = faces.size(); i-- > 0;) {
      if (faces[i].quality.value >= settings_.min_quality) continue;
      ++poor_;
      faces.erase(faces.begin() + static_cast<std::ptrdiff_t>(i));
      if (!item.spans.empty())
        item.spans.erase(item.spans.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (const DescribedFace& face : faces) {
      probes.insert(probes.end(), face.embedding.begin(), face.embedding.end());
    }
  }
  gallery::SearchAnswer found;
  found.results.resize(probes.size() / std::max<std::size_t>(1, info_.dimension));
  if (info_.templates > 0 && !probes.empty()) {
    // Ten templates may be of one subject and hide the second: decisions look at more.
    found = gallery_.search({.probes = probes,
                             .k = std::max<std::size_t>(settings_.candidates, 1) *
                                  std::max<std::size_t>(info_.max_templates, 8),
                             .rule = rule_},
                            run_);
  }
  std::size_t at = 0;
  for (SourceItem& item : items) {
    std::vector<FaceAnswer> answers;
    for (const DescribedFace& face : item.analysis.faces) {
      FaceAnswer& answer = answers.emplace_back();
      answer.box = face.box;
      answer.score = face.score;
      answer.quality = face.quality.value;
      decide(answer, found.results[at++]);
    }
    report_item(item, answers);
  }
}

void Identifier::report_item(SourceItem& item, std::vector<FaceAnswer>& answers) {
  Value faces = Value::list();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const FaceAnswer& a = answers[i];
    ++faces_;
    if (a.verdict) {
      ++counts_[static_cast<std::size_t>(a.verdict->decision)];
    } else {
      ++undecided_;
    }
    Value& face = faces.push(face_value(a, choice_));
    add_span(face, item, i);
    if (rows_.size() < kTableRows) {
      const auto label = [&](std::size_t k) {
        return k < a.candidates.size() ? Value(a.candidates[k].label) : Value();
      };
      const auto score = [&](std::size_t k) {
        return k < a.candidates.size() ? Value(a.candidates[k].score) : Value();
      };
      rows_.push_back({item.analysis.file.string(), i + 1,
                       a.verdict ? Value(gallery::to_string(a.verdict->decision)) : Value(),
                       a.verdict && a.verdict->decision != gallery::Decision::unknown
                           ? Value(a.verdict->label)
                           : Value(),
                       a.verdict ? Value(a.verdict->probability) : Value(), label(0), score(0),
                       label(1), score(1)});
    }
  }
  const auto& error = item.analysis.error;
  results_.push(Value::object({{"file", item.analysis.file.string()},
                               {"faces", std::move(faces)},
                               {"error", error ? Value(error->message()) : Value()}}));
  if (!answers.empty() && evidence_.size() < settings_.pictures) draw(item, answers);
}

void Identifier::draw(const SourceItem& item, const std::vector<FaceAnswer>& answers) {
  Picture photo;
  if (item.spans.empty()) {
    std::vector<FaceMark> marks;
    for (const FaceAnswer& a : answers) {
      marks.push_back(
          {.box = a.box, .colour = colour_of(a.verdict), .text = caption_of(a), .points = false});
    }
    photo = page_picture(marked_photo(item.analysis.file, item.analysis.extent, marks, 480),
                         item.analysis.file.string());
  }
  for (std::size_t i = 0; i < answers.size() && evidence_.size() < settings_.pictures; ++i) {
    const FaceAnswer& a = answers[i];
    Evidence& evidence = evidence_.emplace_back();
    evidence.title = fmt::format("{}: {}", item.analysis.file.filename().string(), caption_of(a));
    if (i == 0 && !photo.bytes.empty()) evidence.pictures.push_back(std::move(photo));
    const DescribedFace& face = item.analysis.faces[i];
    if (!face.chip.empty()) {
      evidence.pictures.push_back(page_picture(
          face.chip, item.spans.empty() ? fmt::format("face {}", i + 1)
                                        : fmt::format("frame {}", item.spans[i].best)));
    }
    if (a.candidates.empty()) continue;
    evidence.template_id = a.nearest[0];
    evidence.label = a.candidates[0].label;
    evidence.score = a.candidates[0].score;
  }
}

void Identifier::add_pictures(Report& report) {
  std::map<std::int64_t, gallery::StoredTemplate> wanted;
  gallery::Filter filter;
  for (const Evidence& e : evidence_) {
    if (e.template_id < 0) continue;
    wanted.emplace(e.template_id, gallery::StoredTemplate());
    if (std::find(filter.labels.begin(), filter.labels.end(), e.label) == filter.labels.end()) {
      filter.labels.push_back(e.label);
    }
  }
  if (!wanted.empty()) {
    gallery_.scan(
        filter,
        [&](const gallery::StoredTemplate& t) {
          if (const auto at = wanted.find(t.id); at != wanted.end()) at->second = t;
          return true;
        },
        run_);
  }
  for (std::size_t i = 0; i < evidence_.size(); ++i) {
    Evidence& e = evidence_[i];
    if (const auto at = wanted.find(e.template_id); at != wanted.end()) {
      EnrolledChip chip = enrolled_chip(at->second, pipeline_);
      const std::string caption =
          fmt::format("nearest: {}, score {:.3f}{}", e.label, e.score,
                      chip.problem.empty() ? std::string() : " (" + chip.problem + ")");
      if (!chip.picture.empty()) {
        e.pictures.push_back(page_picture(chip.picture, caption));
      } else {
        e.title += "; " + caption;
      }
    }
    if (e.pictures.empty()) continue;
    report.pictures({.key = fmt::format("face_{}", i),
                     .title = std::move(e.title),
                     .pictures = std::move(e.pictures)});
  }
  evidence_.clear();
}

std::string Identifier::summary() const {
  if (faces_ == 0) return "there is no face to identify";
  if (undecided_ == faces_) return fmt::format("{} faces searched, none decided", faces_);
  return fmt::format("{} accepted, {} unknown, {} ambiguous of {} faces{}", counts_[0], counts_[1],
                     counts_[2], faces_,
                     choice_.policy ? fmt::format(" at FPIR {:g}", choice_.policy->max_fpir)
                                    : std::string(": the gallery is empty"));
}

void Identifier::add_to(Report& report) {
  report.scalar("faces", faces_, "faces asked");
  if (settings_.min_quality > 0) {
    report.scalar("poor_faces", poor_, "faces left out",
                  fmt::format("quality below {:g}", settings_.min_quality));
  }
  report.group("decisions", "Decisions",
               {{"accept", counts_[0]},
                {"unknown", counts_[1]},
                {"ambiguous", counts_[2]},
                {"none", undecided_}});
  add_table(report, {.key = "best",
                     .title = "Faces",
                     .columns = {{"file", "", ""},
                                 {"face", "", ""},
                                 {"decision", "", ""},
                                 {"label", "who", ""},
                                 {"probability", "", ""},
                                 {"candidate", "best candidate", ""},
                                 {"score", "", ""},
                                 {"second", "second", ""},
                                 {"second_score", "its score", ""}},
                     .rows = std::move(rows_),
                     .note = "probability of the decision"});
  if (faces_ > kTableRows) {
    report.text(fmt::format("The table shows the first {} of {} faces; --json has all.", kTableRows,
                            faces_));
  }
  report.scalar("templates", info_.templates, "templates enrolled");
  if (choice_.policy) {
    add_policy(report, *choice_.calibration, *choice_.policy);
    if (!remark_.empty()) report.warning(remark_);
  } else {
    report.scalar("subjects_searched", info_.subjects, "subjects searched");
    report.warning(info_.subjects == 0 ? "the gallery is empty: every face is unknown"
                                       : "no decisions: " + choice_.why_none);
  }
  add_pictures(report);
}

}  // namespace sosia::face
