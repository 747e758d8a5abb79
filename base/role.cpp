#include "base/role.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hamn::base {

namespace {

using Json = nlohmann::json;

struct Naming {
  RoleName name;
  const char* text;
};
constexpr std::array<Naming, 4> namings{{{RoleName::primary, "primary"},
                                         {RoleName::standby, "standby"},
                                         {RoleName::promoting, "promoting"},
                                         {RoleName::deposed, "deposed"}}};

Error untrustworthy(const std::string& path, const std::string& why) {
  return Error{{.what = "cannot trust the role file " + path,
                .detail = why,
                .hint = "find out which host is in charge, then set it: hamn init --role "
                        "primary|standby --epoch N --force"}};
}

}  // namespace

std::string to_text(RoleName name) {
  for (const auto& naming : namings) {
    if (naming.name == name) return naming.text;
  }
  return "standby";
}

std::optional<RoleName> parse_role_name(const std::string& text) {
  for (const auto& naming : namings) {
    if (naming.text == text) return naming.name;
  }
  return std::nullopt;
}

std::string format_role(const Role& role) {
  const Json object{{"format", 1},
                    {"host", role.host},
                    {"role", to_text(role.name)},
                    {"epoch", role.epoch},
                    {"since", to_text(role.since)},
                    {"run", role.run}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Role parse_role(const std::string& text, const std::string& path) {
  std::size_t keys = 0;
  const auto count_keys = [&](int /*depth*/, Json::parse_event_t event, Json& /*parsed*/) {
    if (event == Json::parse_event_t::key) ++keys;
    return true;
  };
  const Json object = Json::parse(text, count_keys, false);
  if (!object.is_object()) throw untrustworthy(path, "it is not a JSON object");
  const auto format = object.find("format");
  if (format == object.end() || !format->is_number_unsigned() || *format != 1) {
    throw untrustworthy(path, "its format is not 1");
  }
  const auto field = [&](const char* name) -> std::string {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) {
      throw untrustworthy(path, std::string{"it has no \""} + name + "\"");
    }
    return found->get<std::string>();
  };
  const auto name = parse_role_name(field("role"));
  const auto since = parse_wall_time(field("since"));
  if (!name) throw untrustworthy(path, "unknown role \"" + field("role") + "\"");
  if (!since) throw untrustworthy(path, "impossible time \"" + field("since") + "\"");
  const auto epoch = object.find("epoch");
  if (epoch == object.end() || !epoch->is_number_unsigned()) {
    throw untrustworthy(path, "it has no epoch");
  }
  Role role{.host = field("host"),
            .name = *name,
            .epoch = epoch->get<std::uint64_t>(),
            .since = *since,
            .run = field("run")};
  if (role.epoch > largest_epoch) throw untrustworthy(path, "its epoch is impossibly high");
  if (role.host.empty()) throw untrustworthy(path, "its host has no name");
  if (keys != 6) throw untrustworthy(path, "it holds more than a role, or something twice");
  return role;
}

std::optional<Role> read_role(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  return parse_role(*text, path);
}

void write_role(Disk& disk, const std::string& path, const Role& role) {
  make_directories(path.substr(0, path.rfind('/')), 0700);
  replace_file(disk, {.path = path, .content = format_role(role), .mode = 0600});
}

}  // namespace hamn::base
