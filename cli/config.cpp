#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"

namespace hamn::cli {

namespace {

base::Exit show_config(Environment& environment) {
  const auto& site = environment.site();
  if (environment.json) {
    auto list = nlohmann::json::array();
    for (const auto& setting : site.settings) {
      list.push_back({{"key", setting.key}, {"value", setting.value}, {"origin", setting.origin}});
    }
    put(list.dump(2) + "\n");
    return base::Exit::done;
  }
  std::size_t width = 0;
  for (const auto& setting : site.settings) {
    width = std::max(width, setting.key.size() + 3 + setting.value.size());
  }
  width = std::min<std::size_t>(width, 70);
  std::string text;
  for (const auto& setting : site.settings) {
    auto line = setting.key + " = " + setting.value;
    if (line.size() < width) line += std::string(width - line.size(), ' ');
    text += line + "  # " + setting.origin + "\n";
  }
  put(text);
  return base::Exit::done;
}

}  // namespace

void add_config_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* config = app.add_subcommand(
      "config", "Check the configuration and print every setting with where it comes from");
  config->callback([&] { chosen = [&] { return show_config(environment); }; });
}

}  // namespace hamn::cli
