#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "dbrepl/inspection.h"

namespace hamn::dbrepl {

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_entries = 10'000;

std::string dump(const Json& object) {
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// The members of an object that another host sent.
class Answer {
 public:
  Answer(const Json& object, const std::string& command, const std::string& host)
      : object_(object), command_(command), host_(host) {
    if (!object_.is_object()) throw wrong("it is not a JSON object");
  }

  [[nodiscard]] std::string text(const char* name) const {
    const auto& value = member(name);
    if (!value.is_string()) throw wrong(std::string{name} + " is not a text");
    return value.get<std::string>();
  }
  [[nodiscard]] std::uint64_t number(const char* name) const {
    const auto& value = member(name);
    if (!value.is_number_unsigned()) throw wrong(std::string{name} + " is not a number");
    return value.get<std::uint64_t>();
  }
  [[nodiscard]] bool flag(const char* name) const {
    const auto& value = member(name);
    if (!value.is_boolean()) throw wrong(std::string{name} + " is neither true nor false");
    return value.get<bool>();
  }
  [[nodiscard]] base::WallTime time(const char* name) const {
    const auto parsed = base::parse_wall_time(text(name));
    if (!parsed) throw wrong(std::string{name} + " is not a time");
    return *parsed;
  }
  [[nodiscard]] const Json& list(const char* name) const {
    const auto& value = member(name);
    if (!value.is_array() || value.size() > most_entries) {
      throw wrong(std::string{name} + " is not a list of sensible length");
    }
    return value;
  }
  /// Null if there is none.
  [[nodiscard]] const Json& member(const char* name) const {
    static const Json none;
    const auto found = object_.find(name);
    return found == object_.end() ? none : *found;
  }
  [[nodiscard]] Answer within(const Json& object) const { return {object, command_, host_}; }

 private:
  [[nodiscard]] base::Error wrong(const std::string& detail) const {
    return base::Error{{.what = "cannot understand what " + host_ + " answers to " + command_,
                        .detail = detail,
                        .hint = "compare the versions on both hosts: hamn --version; run " +
                                command_ + " on " + host_ + " by hand"}};
  }

  const Json& object_;
  std::string command_;
  std::string host_;
};

Json parse(const std::string& json) {
  return Json::parse(json, nullptr, false);
}

Json to_json(const PointSummary& point) {
  Json tables = Json::array();
  for (const auto& table : point.tables) {
    tables.push_back({{"name", table.name}, {"rows", table.rows}, {"content", table.content}});
  }
  return {{"id", point.id},
          {"generation", point.generation},
          {"epoch", point.epoch},
          {"host", point.host},
          {"taken", base::to_text(point.taken)},
          {"position", point.position},
          {"content", point.content},
          {"problem", point.problem},
          {"tables", std::move(tables)}};
}

PointSummary read_summary(const Answer& answer) {
  PointSummary point{.id = answer.text("id"),
                     .generation = answer.number("generation"),
                     .epoch = answer.number("epoch"),
                     .host = answer.text("host"),
                     .taken = answer.time("taken"),
                     .position = answer.text("position"),
                     .content = answer.text("content"),
                     .problem = answer.text("problem")};
  for (const auto& object : answer.list("tables")) {
    const auto table = answer.within(object);
    point.tables.push_back({.name = table.text("name"),
                            .rows = table.number("rows"),
                            .content = table.text("content")});
  }
  return point;
}

}  // namespace

std::string format_live(const LiveDatabase& live) {
  Json object{{"engine", live.engine},          {"directory", live.directory},
              {"position", live.position},      {"tables", live.tables},
              {"healthy", live.healthy},        {"problem", live.problem},
              {"now", base::to_text(live.now)}, {"snapshot", nullptr}};
  if (live.snapshot) object["snapshot"] = to_json(*live.snapshot);
  return dump(object);
}

LiveDatabase parse_live(const std::string& json, const std::string& host) {
  const Json object = parse(json);
  const Answer answer{object, "hamn db inspect --json", host};
  LiveDatabase live{.engine = answer.text("engine"),
                    .directory = answer.text("directory"),
                    .position = answer.text("position"),
                    .tables = answer.number("tables"),
                    .healthy = answer.flag("healthy"),
                    .problem = answer.text("problem"),
                    .now = answer.time("now")};
  const auto& snapshot = answer.member("snapshot");
  if (!snapshot.is_null()) live.snapshot = read_summary(answer.within(snapshot));
  return live;
}

std::string format_points(const KeptPoints& kept) {
  Json points = Json::array();
  for (const auto& point : kept.points) points.push_back(to_json(point));
  return dump({{"now", base::to_text(kept.now)}, {"points", std::move(points)}});
}

KeptPoints parse_points(const std::string& json, const std::string& host) {
  const Json object = parse(json);
  const Answer answer{object, "hamn db points --json", host};
  KeptPoints kept{.now = answer.time("now")};
  for (const auto& point : answer.list("points")) {
    kept.points.push_back(read_summary(answer.within(point)));
  }
  return kept;
}

std::string format_comparison(const Comparison& comparison) {
  return dump({{"point", comparison.point},
               {"equal", comparison.equal},
               {"differences", comparison.differences}});
}

Comparison parse_comparison(const std::string& json, const std::string& host) {
  const Json object = parse(json);
  const Answer answer{object, "hamn db compare --json", host};
  Comparison comparison{.point = answer.text("point"), .equal = answer.flag("equal")};
  for (const auto& difference : answer.list("differences")) {
    if (difference.is_string()) comparison.differences.push_back(difference.get<std::string>());
  }
  return comparison;
}

}  // namespace hamn::dbrepl
