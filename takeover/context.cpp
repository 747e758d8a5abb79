#include "takeover/context.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/network.h"
#include "base/text.h"
#include "takeover/addresses.h"

namespace hamn::takeover {

base::Command Context::hamn(const std::vector<std::string>& words) const {
  auto argv = program;
  argv.insert(argv.end(), words.begin(), words.end());
  return {.argv = std::move(argv), .time_limit = std::chrono::minutes{10}};
}

bool Context::holds_service_address() const {
  const auto addresses = local_addresses_of(local());
  return std::any_of(addresses.begin(), addresses.end(), [&](const base::InterfaceAddress& each) {
    return each.address == site.service.address.address;
  });
}

std::string note_path(const Context& context, const std::string& name) {
  return context.site.state_directory + "/takeover/" + name + ".json";
}

base::FileWrite note_file(const Context& context, const std::string& name,
                          const base::Facts& facts) {
  const nlohmann::json object{{"format", 1},
                              {"epoch", context.epoch},
                              {"run", context.run},
                              {"time", base::to_text(context.started)},
                              {"facts", facts}};
  return {.path = note_path(context, name), .content = object.dump(2) + "\n", .mode = 0600};
}

std::optional<base::Facts> read_note(const Context& context, const std::string& name) {
  const auto text = context.local().read(note_path(context, name), 1U << 20U);
  if (!text) return std::nullopt;
  const auto object = nlohmann::json::parse(*text, nullptr, false);
  if (!object.is_object() || object.value("format", 0) != 1 ||
      object.value("epoch", std::uint64_t{0}) != context.epoch || !object.contains("facts") ||
      !object["facts"].is_object()) {
    return std::nullopt;
  }
  base::Facts facts;
  for (const auto& [name_of_it, value] : object["facts"].items()) {
    if (value.is_string()) facts[name_of_it] = value.get<std::string>();
  }
  return facts;
}

bool is_own_record(const std::string& path) {
  const bool is_note = path.ends_with(".json") && path.find("/takeover/") != std::string::npos;
  return is_note || path.ends_with("/role.json");
}

std::optional<std::string> find_unit(base::Host& host, const std::string& configured,
                                     const std::vector<std::string>& candidates) {
  if (configured != "auto") return configured;
  for (const auto& candidate : candidates) {
    const auto outcome = host.run({.argv = {"systemctl", "cat", candidate + ".service"}});
    if (outcome.succeeded()) return candidate;
  }
  return std::nullopt;
}

bool is_active(base::Host& host, const std::string& unit) {
  return host.run({.argv = {"systemctl", "is-active", "--quiet", unit}}).succeeded();
}

bool is_enabled(base::Host& host, const std::string& unit) {
  return host.run({.argv = {"systemctl", "is-enabled", "--quiet", unit}}).succeeded();
}

}  // namespace hamn::takeover
